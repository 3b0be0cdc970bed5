"""Following a primary."""
