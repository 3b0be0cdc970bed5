"""MMDB: `writer` has the format, `database` the file, `space` the addresses, `tree` the nodes."""

from originmap.export.mmdb.writer import MMDB

__all__ = ["MMDB"]
