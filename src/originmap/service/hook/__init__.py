"""Webhooks: their administration and the delivery of changes."""
