"""Mappings as code: compare files with an API, and apply the resulting plan."""
