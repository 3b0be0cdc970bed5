"""The connection for reads of a SQLite database, as of the last commit that the store has
published.

Other connections see a commit as soon as SQLite has written it, before the event loop knows of it.
Readers would then see changes beyond the store's revision. So the store holds the reader at the
state before a commit until the commit is published.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import apsw

from originmap.domain.errors import StoreFailed
from originmap.store.sqlite.file import rows

_TAKE_SNAPSHOT = "PRAGMA user_version"
"""BEGIN alone does not fix a state; the first read after it does."""

Failing = Callable[[], contextlib.AbstractContextManager[None]]


class Reader:
    """Runs reads; the store holds it during a commit."""

    def __init__(self, connection: apsw.Connection, failing: Failing) -> None:
        """`failing` is a context that raises the database's errors as StoreFailed."""
        self.connection = connection
        self._failing = failing
        # Reused, because creating a cursor takes as long as a read.
        self._cursor = connection.cursor()
        self._reading = self._held = False

    def rows(self, sql: str, bindings: tuple[Any, ...]) -> list[Any]:
        """Read in the transaction of this turn of the event loop. Raises StoreFailed.

        All reads of a turn share one snapshot, because taking one costs as much as a read. It ends
        before requests that arrive later are processed, so that no read is older than a response
        that the caller has received.
        """
        try:
            if not self._reading:
                self._cursor.execute("BEGIN")
                self._reading = True
                asyncio.get_running_loop().call_soon(self._end_turn)
            return self._cursor.execute(sql, bindings).fetchall()
        except apsw.Error:
            with self._failing():  # only on errors, because it takes as long as a read
                raise

    def hold(self) -> None:
        """Read the current state until `release`, without later commits. Raises apsw.Error."""
        self._end()
        self._reading = self._held = True
        self._cursor.execute("BEGIN")
        rows(self._cursor, _TAKE_SNAPSHOT)

    def release(self) -> None:
        """Read the committed state again."""
        self._held = False
        self._end()

    def _end_turn(self) -> None:
        if not self._held:
            self._end()

    def _end(self) -> None:
        if self._reading:
            self._reading = False
            if not self.connection.in_transaction:  # SQLite ends it after a failed read
                return
            # The cursor raises the error of its last read again.
            with contextlib.suppress(StoreFailed), self._failing():
                self._cursor.execute("COMMIT")
                return
            self._cursor = self.connection.cursor()
            with contextlib.suppress(StoreFailed), self._failing():
                self._cursor.execute("ROLLBACK")
