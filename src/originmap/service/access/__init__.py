"""Checking credentials, and use cases of tokens."""
