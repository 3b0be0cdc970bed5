"""Outbound HTTP: proxies, certificates, and the clients that use them."""
