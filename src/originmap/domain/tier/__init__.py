"""Upper tiers: the topology, and how a tier is chosen."""
