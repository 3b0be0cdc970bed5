"""Tests of the JSON encoding of changes and snapshots."""
