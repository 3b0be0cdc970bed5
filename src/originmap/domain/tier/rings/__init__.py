"""Consistent hashing of each cache software, reproduced."""
