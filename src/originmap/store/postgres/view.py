"""A node's view of a PostgreSQL database: its state and all records.

Commits of this node and of other nodes arrive on two paths and in any order; each change of a
record is applied once, in the order of revisions.
"""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from originmap.domain.history.record import RecordChange
from originmap.store.port import CommitListener
from originmap.store.postgres import history as postgres_history
from originmap.store.postgres.history import State
from originmap.store.records import Records, replacing

# One statement, so that state and records are of the same moment.
_EVERYTHING = """
    SELECT s.epoch, s.is_replica, s.revision, s.last_at, s.oldest, r.kind, r.id, r.body
    FROM state AS s LEFT JOIN record AS r ON true WHERE s.one"""

_MOST_TIMES = 1_000

log = logging.getLogger(__name__)


class _Applied(NamedTuple):
    """A change, by its revision and time: every change of a record up to it is in memory."""

    revision: int
    at: int


class KnownState:
    """The last seen row of `state`, and the records in memory."""

    def __init__(self) -> None:
        self.records = Records()
        self.state = State()
        self.times: dict[int, int] = {}
        """The times of the last revisions that were seen."""
        self.generation = 0
        """See `Store.generation`."""
        self._applied = _Applied(0, 0)
        self._listeners: list[CommitListener] = []

    def follow(self, listener: CommitListener) -> None:
        self._listeners.append(listener)

    def committed(self, revision: int, at: int, changes: Sequence[RecordChange]) -> None:
        """Apply this node's own commit, made after it had read all earlier ones."""
        if changes and revision > self._applied.revision:
            self.records.apply(changes)
            self._applied = _Applied(revision, at)
        if revision > self.state.revision:
            self._reach(self.state._replace(revision=revision, last_at=at))

    def read(self, state: State) -> bool:
        """Note a state that was read together with changes, so that readers of these changes never
        see an older revision. Return False if another process has replaced the database: `look`
        then reads it."""
        if state.epoch != self.state.epoch:
            return False
        if state.revision == self.state.revision and state.last_at != self.state.last_at:
            return False
        if state.revision >= self.state.revision:
            # It may be older than the last seen state of the same revision.
            self._reach(state._replace(oldest=max(state.oldest, self.state.oldest)))
        return True

    def replaced(self) -> None:
        """Make the next `look` read everything, because another database was loaded."""
        self._applied = _Applied(-1, 0)

    async def look(self, connection: asyncpg.Connection) -> None:
        """Apply everything that is committed. In a transaction that holds the lock of records, the
        records then stay current until its end."""
        while not await self._look(connection):
            pass

    async def _look(self, connection: asyncpg.Connection) -> bool:
        before, applied = self.state, self._applied
        *fields, at = await connection.fetchrow(postgres_history.STATE, applied.revision)
        state = State(*fields)
        if state.revision == applied.revision:
            at = state.last_at
        if state.epoch != before.epoch or state.revision < before.revision:
            return await self._reload(connection, before, applied)
        if applied.revision < state.oldest or (applied.revision and at != applied.at):
            return await self._reload(connection, before, applied)
        if state.revision > applied.revision:
            sql = postgres_history.RECORDS_SINCE
            rows = await connection.fetch(sql, applied.revision, state.revision)
            # This node may have committed meanwhile and applied its own change.
            self._apply([row for row in rows if row["revision"] > self._applied.revision])
            self._applied = max(_Applied(state.revision, state.last_at), self._applied)
        if state.revision >= self.state.revision:
            self._reach(state)
        return True

    async def _reload(
        self, connection: asyncpg.Connection, before: State, applied: _Applied
    ) -> bool:
        """Read everything again, because another database was loaded or the history is too short to
        catch up. Return False if another read was faster."""
        rows = await connection.fetch(_EVERYTHING)
        if (self.state, self._applied) != (before, applied):
            return False
        state = State(*rows[0][:5])
        if state.epoch == before.epoch and state.revision < before.revision:
            log.error("revisions %s to %s were lost", state.revision + 1, before.revision)
        records = postgres_history.records_of(row[5:] for row in rows if row[5] is not None)
        self.records.apply(replacing(self.records.view, records))
        self._applied = _Applied(state.revision, state.last_at)
        self.generation += 1
        self.times.clear()
        self._reach(state, always=True)
        return True

    def _apply(self, rows: Sequence[Sequence[object]]) -> None:
        if rows:
            self.records.apply(postgres_history.record_changes(rows))

    def _reach(self, state: State, *, always: bool = False) -> None:
        moved = state.revision != self.state.revision
        self.state = state
        if state.revision:
            self.times[state.revision] = state.last_at
            if len(self.times) > _MOST_TIMES:
                del self.times[next(iter(self.times))]
        if moved or always:
            for listener in self._listeners:
                listener()
