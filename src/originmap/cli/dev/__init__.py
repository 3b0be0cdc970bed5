"""Development servers on the command line."""
