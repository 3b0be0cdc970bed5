"""The topology, latencies, and resolution of upper tiers."""
