"""What one node knows of a PostgreSQL database: how far it is, and every record.

Its own commits and those of other nodes arrive here by two ways and in any order; each change of
a record is taken over once, in the order of revisions.
"""

import logging
from collections.abc import Sequence

import asyncpg

from originmap.domain.history.record import RecordChange
from originmap.store.port import CommitListener
from originmap.store.postgres import history as postgres_history
from originmap.store.postgres.history import State
from originmap.store.records import Records, replacing

# One statement, so that state and records are of one moment.
_EVERYTHING = """
    SELECT s.epoch, s.is_replica, s.revision, s.last_at, s.oldest, r.kind, r.id, r.body
    FROM state AS s LEFT JOIN record AS r ON true WHERE s.one"""

log = logging.getLogger(__name__)


class KnownState:
    """The row of `state` as last seen, and the records in memory."""

    def __init__(self) -> None:
        self.records = Records()
        self.state = State()
        self._applied = 0  # every change of a record up to this revision is in `records`
        self._listeners: list[CommitListener] = []

    def follow(self, listener: CommitListener) -> None:
        self._listeners.append(listener)

    def committed(self, revision: int, at: int, changes: Sequence[RecordChange]) -> None:
        """Take over what this node has committed itself, after it caught up with the rest."""
        if changes and revision > self._applied:
            self.records.apply(changes)
            self._applied = revision
        if revision > self.state.revision:
            self._reach(self.state._replace(revision=revision, last_at=at))

    def read(self, state: State) -> None:
        """Whoever read changes saw this with them: nobody may be shown changes and be told that
        the database has not reached them. A database that was replaced is taken over by `look`."""
        if state.epoch == self.state.epoch and state.revision >= self.state.revision:
            # It may be older than what was seen last, of the same revision.
            self._reach(state._replace(oldest=max(state.oldest, self.state.oldest)))

    async def look(self, connection: asyncpg.Connection) -> None:
        """Take over whatever is committed. In a transaction that holds the lock of records, they
        are complete after this until it ends."""
        while not await self._look(connection):
            pass

    async def _look(self, connection: asyncpg.Connection) -> bool:
        before, applied = self.state, self._applied
        state = State(*await connection.fetchrow(postgres_history.STATE))
        if state.epoch != before.epoch or not state.oldest <= applied <= state.revision:
            return await self._reload(connection, before, applied)
        if state.revision < before.revision:
            return await self._reload(connection, before, applied)
        if state.revision > applied:
            sql = postgres_history.RECORDS_SINCE
            rows = await connection.fetch(sql, applied, state.revision)
            # This node may have committed meanwhile, and applied that.
            self._apply([row for row in rows if row["revision"] > self._applied])
            self._applied = max(state.revision, self._applied)
        if state.revision >= self.state.revision:
            self._reach(state)
        return True

    async def _reload(self, connection: asyncpg.Connection, before: State, applied: int) -> bool:
        """Read everything again: another database has been loaded, or the history does not
        reach back to what is known here. False when something else was quicker."""
        rows = await connection.fetch(_EVERYTHING)
        if (self.state, self._applied) != (before, applied):
            return False
        state = State(*rows[0][:5])
        if state.epoch == before.epoch and state.revision < before.revision:
            log.error("revisions %s to %s are lost", state.revision + 1, before.revision)
        records = postgres_history.records_of(row[5:] for row in rows if row[5] is not None)
        self.records.apply(replacing(self.records.view, records))
        self._applied = state.revision
        self._reach(state)
        return True

    def _apply(self, rows: Sequence[Sequence[object]]) -> None:
        if rows:
            self.records.apply(postgres_history.record_changes(rows))

    def _reach(self, state: State) -> None:
        moved = (state.epoch, state.revision) != (self.state.epoch, self.state.revision)
        self.state = state
        if moved:
            for listener in self._listeners:
                listener()
