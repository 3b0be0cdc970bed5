"""The servers that Originmap is compared with. Each runs as a process of its own."""
