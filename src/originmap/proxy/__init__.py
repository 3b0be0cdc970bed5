"""A proxy in front of the v4 API that answers single calls from lists and batches."""
