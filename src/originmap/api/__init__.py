"""HTTP: Cloudflare's routes and our own, and what both share. Sees services, never the store."""
