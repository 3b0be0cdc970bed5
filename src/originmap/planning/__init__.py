"""Mappings as code: from files and an API to a plan, and from a plan to what it says."""
