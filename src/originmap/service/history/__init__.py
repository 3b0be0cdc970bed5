"""The audit log, the history of zones, and retention."""
