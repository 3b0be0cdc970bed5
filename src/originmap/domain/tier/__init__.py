"""Upper tiers: the topology, and the choice of upper tiers."""
