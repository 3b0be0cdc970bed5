"""The agent of a node, piece by piece."""
