"""The change feed, its readers, and the state of replication."""
