"""Exports as pure functions."""
