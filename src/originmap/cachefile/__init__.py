"""Files of caches: read and written, a module for each format."""
