"""Bulk inserts into a SQLite database, with many rows per statement.

Starting and ending a statement takes longer than writing a row.
"""

from collections.abc import Sequence
from itertools import chain

import apsw

_AT_ONCE = 50
"""Rows per statement; more do not make it faster."""


class BulkInsert:
    """An INSERT for any number of rows."""

    def __init__(self, table: str, columns: str, on_conflict: str = "") -> None:
        """`columns` is a list such as "revision, zone"; `on_conflict` follows the values."""
        row = f"({', '.join('?' for _ in columns.split(','))})"
        begin = f"INSERT INTO {table} ({columns}) VALUES "  # noqa: S608 (names of our own)
        self._one = f"{begin}{row} {on_conflict}"
        self._many = f"{begin}{', '.join([row] * _AT_ONCE)} {on_conflict}"

    def one(self, cursor: apsw.Cursor, row: tuple[object, ...]) -> None:
        """Insert one row."""
        cursor.execute(self._one, row)

    def many(self, cursor: apsw.Cursor, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert `rows` in order."""
        if len(rows) == 1:
            self.one(cursor, rows[0])
            return
        if len(rows) < _AT_ONCE:
            cursor.executemany(self._one, rows)
            return
        whole = len(rows) - len(rows) % _AT_ONCE
        for at in range(0, whole, _AT_ONCE):
            cursor.execute(self._many, tuple(chain.from_iterable(rows[at : at + _AT_ONCE])))
        cursor.executemany(self._one, rows[whole:])
