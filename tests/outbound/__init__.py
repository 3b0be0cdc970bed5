"""How other servers are asked."""
