"""The connection that reads a SQLite database, as of the last commit that the store has told of.

Other connections see a commit as soon as SQLite has written it, which is before the event loop
hears of it: readers would be shown changes beyond the revision that the store states. So the store
holds the reader at the state before a commit, until it tells of that commit.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import apsw

from originmap.domain.errors import StoreFailed
from originmap.store.sqlite.file import rows

_TAKE_SNAPSHOT = "PRAGMA user_version"
"""BEGIN alone chooses no state to read; the first read after it does."""

Failing = Callable[[], contextlib.AbstractContextManager[None]]


class Reader:
    """Reads, and is held by the store while a commit is under way."""

    def __init__(self, connection: apsw.Connection, failing: Failing) -> None:
        """`failing` raises the database's errors as StoreFailed."""
        self.connection = connection
        self._failing = failing
        # Kept, because making one takes as long as the read that it is for.
        self._cursor = connection.cursor()
        self._reading = self._held = False

    def rows(self, sql: str, bindings: tuple[Any, ...]) -> list[Any]:
        """Read in the transaction of this turn of the event loop. Raises StoreFailed.

        All reads of a turn share one snapshot, because taking one costs as much as a read. It
        ends before anything that arrives later is looked at, so nobody reads what is older than
        an answer they got.
        """
        try:
            if not self._reading:
                self._cursor.execute("BEGIN")
                self._reading = True
                asyncio.get_running_loop().call_soon(self._end_turn)
            return self._cursor.execute(sql, bindings).fetchall()
        except apsw.Error:
            with self._failing():  # entered only now: doing so takes as long as a read
                raise

    def hold(self) -> None:
        """Read the present state until `release`, whatever is committed. Raises apsw.Error."""
        self._end()
        self._reading = self._held = True
        self._cursor.execute("BEGIN")
        rows(self._cursor, _TAKE_SNAPSHOT)

    def release(self) -> None:
        """Read what is committed."""
        self._held = False
        self._end()

    def _end_turn(self) -> None:
        if not self._held:
            self._end()

    def _end(self) -> None:
        if self._reading:
            self._reading = False
            if not self.connection.in_transaction:  # SQLite ends it itself after a failed read
                return
            # The cursor tells again what its last read failed with.
            with contextlib.suppress(StoreFailed), self._failing():
                self._cursor.execute("COMMIT")
                return
            self._cursor = self.connection.cursor()
            with contextlib.suppress(StoreFailed), self._failing():
                self._cursor.execute("ROLLBACK")
