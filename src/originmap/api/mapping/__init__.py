"""Mappings in requests and responses, for Cloudflare's routes and our own."""
