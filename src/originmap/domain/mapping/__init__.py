"""Mappings: addresses, regions, and the rules that change mappings."""
