"""What a run reports: its tables, its goals and the history of recorded runs."""
