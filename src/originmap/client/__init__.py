"""A client of the v4 API, of Originmap or of Cloudflare, for the commands."""
