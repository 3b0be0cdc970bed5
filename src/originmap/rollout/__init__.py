"""The conductor of a rollout, a client of the server."""
