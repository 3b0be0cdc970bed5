"""How changes and snapshots are written for others to read, and read again: JSON, both ways."""
