"""Changes, records and snapshots."""
