"""HTTP: what reads requests from a connection, finds their handlers and writes the answers."""
