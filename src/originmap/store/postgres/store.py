"""The store in a PostgreSQL database, for any number of processes and machines.

Every node groups its own writes, and the database orders the groups of all nodes. Decoded records
are held in memory, as in every store, and follow the commits of other nodes. See
docs/decisions/0008.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, TypeVar

import asyncpg

from originmap.domain.errors import StoreFailed
from originmap.domain.history.change import Cause, Change, Committed
from originmap.domain.history.record import Key, RecordDecide
from originmap.domain.history.snapshot import MappingSelection, Part, SnapshotStart
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping
from originmap.domain.tier.whatif import Count
from originmap.store.base import GroupStore
from originmap.store.clock import ForwardClock, Now, running_clock, wall_clock
from originmap.store.group import Write
from originmap.store.port import CommitListener, Page, ReadFrom, RecordListener, Standby, Store
from originmap.store.postgres import copy as postgres_copy
from originmap.store.postgres import history as postgres_history
from originmap.store.postgres import schema as postgres_schema
from originmap.store.postgres.commit import Commits
from originmap.store.postgres.history import State, place_of
from originmap.store.postgres.pool import (
    NO_VARIABLES,
    Line,
    Readers,
    Servers,
    Variables,
    close,
    failing,
)
from originmap.store.postgres.reads import Reads
from originmap.store.postgres.standby import PostgresStandby, open_standby
from originmap.store.postgres.view import KnownState
from originmap.store.postgres.watch import LIVE, Watch

T = TypeVar("T")

_COUNT_PLACES = """
    SELECT zone_id, place, count(*) FROM mapping WHERE zone_id = ANY($1::text[])
    GROUP BY zone_id, place"""


async def open_postgres(
    url: str,
    now: Now = wall_clock,
    environment: Variables = NO_VARIABLES,
    *,
    serves: bool = True,
    read_from: ReadFrom | None = None,
) -> "PostgresStore":
    """Open the database of `url` and migrate it; a standby of it may serve reads.

    With `serves`, this process is a node: writers of records wait until it has read them, so it
    must keep running. Raises StoreUnusable if the database cannot be reached or is not Originmap's.
    """
    servers = Servers(url, environment)
    connection = await servers.first_connection()
    try:
        with failing():
            await postgres_schema.migrate(connection, url)
            view, moment = KnownState(), running_clock()
            await view.look(connection)
    finally:
        await close(connection)
    standby = None
    if read_from is not None:
        standby = await open_standby(read_from, environment, servers, view, moment)
    readers = Readers(servers)
    await readers.open()
    store = PostgresStore(servers, readers, view, now, standby, serves=serves)
    if serves:
        await store.listening()
    return store


class PostgresStore(GroupStore, Store):
    """The PostgreSQL store; create it with `open_postgres`."""

    def __init__(
        self,
        servers: Servers,
        readers: Readers,
        view: KnownState,
        now: Now,
        standby: PostgresStandby | None = None,
        *,
        serves: bool,
    ) -> None:
        self._servers = servers
        self._readers = readers
        self._standby = standby
        self._reads = Reads(readers.rows)
        self._view = view
        self._closed = False
        self._bulk = asyncio.Lock()
        self._writer = Line(servers)
        clock = ForwardClock(now, view.state.last_at)
        self._commits = Commits(self._writer, clock, view)
        super().__init__(self._commit)
        self._watch = Watch(Line(servers), self._look, self._lost, serves=serves)
        self._writable = True

    @property
    def epoch(self) -> str:
        return self._view.state.epoch

    @property
    def revision(self) -> int:
        """The last revision that this node has seen."""
        return self._view.state.revision

    @property
    def generation(self) -> int:
        return self._view.generation

    @property
    def oldest(self) -> int:
        return self._view.state.oldest

    @property
    def is_replica(self) -> bool:
        return self._view.state.is_replica

    @property
    def writable(self) -> bool:
        return self._writable

    @property
    def standby(self) -> Standby | None:
        return self._standby

    def follow_records(self, listener: RecordListener) -> None:
        self._view.records.follow(listener)

    def follow_commits(self, listener: CommitListener) -> None:
        self._view.follow(listener)

    async def get(self, zone_id: str, address: Address) -> Mapping | None:
        if self._standby is not None:
            with self._standby.or_primary():
                return await self._standby.get(self._needed(zone_id), zone_id, address)
        return await self._reads.get(zone_id, address)

    def get_now(self, zone_id: str, address: Address) -> Mapping | None:
        """Return None: reads wait for the server."""
        return None

    async def page(self, zone_id: str, offset: int, limit: int) -> Page:
        rows = await self._rows(
            self._needed(zone_id), postgres_history.PAGE, zone_id, limit, offset
        )
        state, mapping_rows = await self._note_state(rows)
        self._require(zone_id, state.revision)
        mappings = [
            Mapping(Address(address), place_of(place), modified_on, revision)
            for _, address, place, modified_on, revision in mapping_rows
            if address is not None
        ]
        return Page(mappings, mapping_rows[0][0] or 0, state.revision)

    def page_now(self, zone_id: str, offset: int, limit: int) -> None:
        return None

    async def count_places(self, zone_ids: Sequence[str]) -> list[Count]:
        rows = await self._rows(self._needed(*zone_ids), _COUNT_PLACES, list(zone_ids))
        counts = [Count(zone_id, place_of(place), n) for zone_id, place, n in rows]
        order = {zone_id: n for n, zone_id in enumerate(zone_ids)}
        return sorted(counts, key=lambda count: (order[count.zone_id], count.place))

    async def write_records(
        self, decide: RecordDecide[T], cause: Cause, seen: int | None = None
    ) -> Committed[T]:
        """Decide about records and commit; acknowledged once the other nodes have read the changes.
        Raises Stale if anything was committed after revision `seen`."""
        done = await super().write_records(decide, cause, seen)
        await self._watch.confirmed(done.revision, self._nodes)
        return done

    async def changes(self, since: int, limit: int, zone_id: str | None = None) -> list[Change]:
        if zone_id is None:
            needed = min(self.revision, since + limit)  # more would be left out
            rows = await self._rows(needed, postgres_history.SINCE, since, limit)
        else:
            sql = postgres_history.SINCE_IN_ZONE
            rows = await self._rows(self.revision, sql, since, limit, zone_id)
        _, found = await self._note_state(rows)
        changes = [postgres_history.change_of(row) for row in found if row[0] is not None]
        if changes and zone_id is not None:
            self._require(zone_id, changes[-1].revision)
        return changes

    async def time_of(self, revision: int) -> int | None:
        if (at := self._view.times.get(revision)) is not None:
            return at
        rows = await self._rows(revision, postgres_history.TIME_OF, revision)
        return rows[0][0] if rows else None

    async def changes_before(
        self,
        revision: int,
        limit: int,
        zone_id: str | None = None,
        address: Address | None = None,
    ) -> list[Change]:
        arguments: tuple[object, ...] = (revision, limit)
        if zone_id is None:
            return await self._changes(postgres_history.BEFORE, *arguments)
        if address is None:
            return await self._changes(postgres_history.BEFORE_IN_ZONE, *arguments, zone_id)
        return await self._changes(postgres_history.BEFORE_OF_ADDRESS, *arguments, zone_id, address)

    async def last_record_change(self, key: Key) -> Change | None:
        changes = await self._changes(postgres_history.LAST_OF_RECORD, key.kind.value, key.id)
        return changes[0] if changes else None

    async def forget(self, up_to: int, limit: int) -> int:
        async with self._transaction() as connection:
            count = await postgres_copy.forget(connection, up_to, limit)
        await self._refresh()
        return count

    async def snapshot(
        self, *, history: bool = False, selection: MappingSelection | None = None
    ) -> AsyncGenerator[Part, None]:
        async with contextlib.aclosing(self._parts(history=history)) as parts:
            async for each in parts:
                if (part := selection.of(each) if selection else each) is not None:
                    yield part

    async def _parts(self, *, history: bool) -> AsyncGenerator[Part, None]:
        if self._standby is not None:
            with self._standby.or_primary():
                snapshot = self._standby.snapshot(self.revision, history=history)
                async with contextlib.aclosing(snapshot) as parts:
                    async for part in parts:
                        yield await self._noted(part)
                return
        with failing():
            async with (
                self._connection() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
                contextlib.aclosing(postgres_copy.parts(connection, history=history)) as parts,
            ):
                async for part in parts:
                    yield await self._noted(part)

    async def load(self, parts: AsyncIterator[Part]) -> None:
        try:
            async with self._transaction() as connection:
                with postgres_copy.checked_by_database():
                    await postgres_copy.load(connection, postgres_copy.marked(parts))
        except postgres_copy.SourceFailed as failed:
            raise failed.error from None
        self._view.replaced()
        await self._refresh()
        self._commits.start_after(self._view.state.last_at)

    async def apply(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        async with self._transaction() as connection:
            with postgres_copy.checked_by_database():
                await postgres_copy.apply(connection, changes, self._view)
        await self._refresh()

    async def promote(self) -> None:
        async with self._transaction() as connection:
            await postgres_copy.promote(connection)
        await self._refresh()

    async def size(self) -> int:
        return int((await self._readers.rows(postgres_schema.SIZE))[0][0])

    def room(self) -> int | None:
        return None

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._group.close()
        await self._watch.close()
        await self._writer.close()
        await self._readers.close()
        if self._standby is not None:
            await self._standby.close()

    async def _note_state(self, rows: Sequence[Any]) -> tuple[State, list[tuple[Any, ...]]]:
        """Return rows without the state at the beginning of each, and note that state."""
        state = State(*rows[0][: len(State._fields)])
        if not self._view.read(state):
            await self._refresh()
        return state, [tuple(row)[len(State._fields) :] for row in rows]

    async def _noted(self, part: Part) -> Part:
        """Return a part of a snapshot, and note its revision."""
        if isinstance(part, SnapshotStart):
            state = self._view.state._replace(epoch=part.epoch, revision=part.revision)
            if not self._view.read(state._replace(last_at=part.at)):
                await self._refresh()
        return part

    async def _rows(self, needed: int, sql: str, *arguments: object) -> list[Any]:
        """Return the rows of a read-only statement. A standby must have the revision `needed`."""
        if self._standby is not None:
            with self._standby.or_primary():
                return await self._standby.rows(needed, sql, *arguments)
        return await self._readers.rows(sql, *arguments)

    def _needed(self, *zone_ids: str) -> int:
        """Return the revision that a standby must have for reads of these zones."""
        return 0 if self._standby is None else self._standby.needed(*zone_ids)

    def _require(self, zone_id: str, revision: int) -> None:
        """Later reads of a zone must not show a state before `revision`."""
        if self._standby is not None:
            self._standby.require(zone_id, revision)

    async def _changes(self, sql: str, *arguments: object) -> list[Change]:
        rows = await self._rows(self.revision, sql, *arguments)
        return [postgres_history.change_of(row) for row in rows]

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """A transaction that may take long, besides the groups. Its locks order it among them; only
        one runs at a time."""
        if self._closed:
            raise StoreFailed("the store is closed")
        with failing():
            async with self._bulk, self._connection() as connection, connection.transaction():
                await connection.execute("SET LOCAL statement_timeout = 0")
                await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                yield connection

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection for long work, outside the pool of readers."""
        connection = await self._servers.patient_connection()
        try:
            yield connection
        finally:
            await close(connection)

    async def _refresh(self) -> None:
        """Read what was just committed, before the write is acknowledged."""
        with failing():
            async with self._readers.pool.acquire() as connection:
                await self._view.look(connection)
        self._watch.tell()

    async def listening(self) -> None:
        """Wait until this node receives the commits of other nodes; only then may it serve."""
        await self._watch.listening()

    async def _commit(self, group: Sequence[Write]) -> None:
        try:
            done = await self._commits.commit(group)
        except StoreFailed:
            self._writable = False
            raise
        self._writable = True
        for write in group:
            self._require(write.zone_id, done.revision)
        if done.wrote:
            self._view.committed(done.revision, done.at, done.records)
            self._watch.tell()

    async def _nodes(self) -> set[int]:
        return {pid for (pid,) in await self._readers.rows(LIVE)}

    async def _look(self, connection: asyncpg.Connection) -> int:
        moment = running_clock()
        await self._view.look(connection)
        if self._standby is not None:
            self._standby.looked(moment)
        if not self._writable:
            # This commit changes nothing, but the server writes it to disk like any other.
            await connection.execute("UPDATE state SET revision = revision WHERE one")
            self._writable = True
        return self._view.state.revision

    async def _lost(self) -> None:
        """Drop all connections: to a machine that hangs, each would wait for a timeout."""
        self._writable = False
        self._writer.drop()
        await self._readers.renew()
