"""Files of mappings: our own format, and those of other tools."""
