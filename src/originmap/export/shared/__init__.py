"""Formats of colos with several caches, which share URLs by consistent hashing."""
