"""What is released, as somebody installs it who has no checkout."""
