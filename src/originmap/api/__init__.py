"""HTTP: Cloudflare's routes, our own routes, and their shared parts. Uses services, not stores."""
