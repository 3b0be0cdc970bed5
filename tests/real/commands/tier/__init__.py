"""Commands about upper tiers."""
