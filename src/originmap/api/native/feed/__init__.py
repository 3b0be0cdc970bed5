"""Routes of the change feed."""
