"""Plans of mappings as code."""
