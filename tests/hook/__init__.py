"""Webhooks: delivery over real sockets, refused addresses, rights and commands."""
