"""Our own routes: health, and under /originmap/v1 what Cloudflare's API has no place for."""
