"""The checks, by subject. Each is a function that sends requests and compares the answers."""
