"""Rights: tokens, permissions and rate limits."""
