"""What runs near the caches: following another server's feed."""
