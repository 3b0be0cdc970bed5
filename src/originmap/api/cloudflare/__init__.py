"""Cloudflare's published routes under /client/v4; docs/api.md has the unpublished details."""
