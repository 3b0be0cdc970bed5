"""Generates parts of the documentation from the code, one module per page."""
