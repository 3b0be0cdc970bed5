"""Use cases of the topology and of resolving."""
