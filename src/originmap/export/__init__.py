"""Exports for caches: zones with their mappings in, text or bytes out.

Pure functions of the standard library, without I/O or a clock: the same input gives the same bytes.
Each format is a module here and a row in `formats`.
"""
