"""Use cases of mappings and zones."""
