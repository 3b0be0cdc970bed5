"""Commands of mappings as code."""
