"""Commands about upper tiers: colos, caches, pools, regions, and what follows from them."""
