"""Encoding and decoding of changes and snapshots as JSON."""
