"""Exports to caches and discovery for Envoy."""
