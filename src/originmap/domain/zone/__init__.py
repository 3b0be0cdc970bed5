"""Zones: their names, settings and rules."""
