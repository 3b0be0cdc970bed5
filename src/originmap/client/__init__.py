"""The v4 API from outside, ours or the real one: what the commands of mappings as code ask."""
