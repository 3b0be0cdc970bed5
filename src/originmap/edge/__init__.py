"""The edge agent, which keeps caches up to date, and the client of another server's feed."""
