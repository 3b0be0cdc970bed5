"""The vendors' published IP ranges: a reader per vendor, where files are kept, how they come."""
