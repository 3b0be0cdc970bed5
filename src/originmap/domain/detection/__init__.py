"""Detection: what published ranges say of an address."""
