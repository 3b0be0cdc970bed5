"""What is known about Cloudflare's API, and what Originmap decides where nothing is published."""
