"""The vendors' published IP ranges: one reader per vendor, storage and download of the files."""
