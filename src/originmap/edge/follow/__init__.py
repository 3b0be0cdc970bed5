"""Replication: keeps a store up to date with a primary's feed."""
