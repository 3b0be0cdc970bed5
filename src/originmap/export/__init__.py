"""What caches load: zones with their mappings in, text or bytes out.

Pure functions of the standard library: no I/O, no clock, the same input gives the same bytes. A
format is a file here and a row in `formats`.
"""
