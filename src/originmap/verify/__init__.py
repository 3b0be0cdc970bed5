"""Checks the facts about the API against any server, as a client of it."""
