"""Where zones, mappings, tokens and the history of changes are kept."""
