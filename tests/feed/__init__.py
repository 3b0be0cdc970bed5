"""The written form of changes and snapshots."""
