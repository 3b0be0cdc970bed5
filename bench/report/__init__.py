"""The results of a run: tables, goals, and the history of recorded runs."""
