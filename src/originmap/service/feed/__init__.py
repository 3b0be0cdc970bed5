"""The change feed and its readers."""
