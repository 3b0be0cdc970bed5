"""How the command line reaches the process that owns the database: a Unix socket beside it.

Whoever may open the socket may do everything, as whoever may open the database file: both are
guarded by file permissions alone.
"""
