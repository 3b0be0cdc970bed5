"""Webhooks: the records, the rules that change them, and the signature."""
