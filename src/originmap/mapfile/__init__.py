"""Files in which people keep mappings: our own form, and those of other tools."""
