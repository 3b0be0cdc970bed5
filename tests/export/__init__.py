"""Exports as pure functions: what is written for which node."""
