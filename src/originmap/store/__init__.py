"""Storage of zones, mappings, tokens and the history of changes."""
