"""The HTTP server: reads requests, routes them to handlers, and writes the responses."""
