"""Upper tiers: the topology, latencies, the catalogue, and what follows from them."""
