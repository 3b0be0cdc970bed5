"""Detection of an address's region by the vendors' published IP ranges."""
