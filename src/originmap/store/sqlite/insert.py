"""Inserts rows into a SQLite database, many of them with each statement.

To start a statement and end it takes longer than to write a row.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import apsw

_AT_ONCE = 50
"""Rows of a statement: more of them make it no faster."""


class Insert:
    """An INSERT, whatever the number of rows."""

    def __init__(self, table: str, columns: str, on_conflict: str = "") -> None:
        """`columns` as in "revision, zone"; `on_conflict` what stands after the values."""
        row = f"({', '.join('?' for _ in columns.split(','))})"
        begin = f"INSERT INTO {table} ({columns}) VALUES "  # noqa: S608 (names of our own)
        self._one = f"{begin}{row} {on_conflict}"
        self._many = f"{begin}{', '.join([row] * _AT_ONCE)} {on_conflict}"

    def one(self, cursor: apsw.Cursor, row: tuple[Any, ...]) -> None:
        """Insert one row."""
        cursor.execute(self._one, row)

    def many(self, cursor: apsw.Cursor, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert `rows`, in their order."""
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
