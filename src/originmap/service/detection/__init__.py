"""Detection of an origin's vendor and region."""
