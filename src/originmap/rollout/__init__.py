"""Conducting a rollout from outside of the server."""
