"""What is true about zones, mappings, rights and tiers: pure rules, standard library only."""
