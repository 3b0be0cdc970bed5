"""Cloudflare's routes under /client/v4, as published; what is silent there is in docs/api.md."""
