"""Plans for mappings as code."""
