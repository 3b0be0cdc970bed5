"""Snapshots of PostgreSQL databases, and writing the changes and snapshots of a primary.

Each function runs in a transaction of its caller. Those that write take the locks in the order of
`store.postgres.commit`.
"""

import contextlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from typing import Any

import asyncpg

from originmap.domain.errors import BrokenFeed
from originmap.domain.history.change import Change
from originmap.domain.history.record import Key, Kind, RecordChange
from originmap.domain.history.snapshot import History, Part, Record, SnapshotStart, ZoneMappings
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping, MappingChange
from originmap.store import change_checks
from originmap.store.postgres import history as postgres_history
from originmap.store.postgres.commit import COUNTER, INSERT_CHANGE, STORED, ZONES, put_record
from originmap.store.postgres.draft import WRITE, Draft
from originmap.store.postgres.history import place_of, text_of
from originmap.store.postgres.mapping_cache import Counter, MappingCache
from originmap.store.postgres.pool import ERRORS
from originmap.store.postgres.schema import RECORDS
from originmap.store.postgres.view import KnownState

_PART = 2_000
_MAPPINGS = """
    SELECT zone_id, address, place, modified_on, revision FROM mapping
    ORDER BY zone_id, address"""
_MAPPING_COLUMNS = ("zone_id", "address", "place", "modified_on", "revision")


class SourceFailed(Exception):
    """The source of the parts failed, not the database that loads them."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


async def marked(parts: AsyncIterator[Part]) -> AsyncIterator[Part]:
    """Yield the same parts. An error of the source that the database could also raise becomes
    SourceFailed."""
    try:
        async for part in parts:
            yield part
    except ERRORS as error:
        raise SourceFailed(error) from error


async def parts(connection: asyncpg.Connection, *, history: bool) -> AsyncGenerator[Part, None]:
    """Yield a snapshot, in a transaction with one consistent view."""
    await connection.execute("SET LOCAL statement_timeout = 0")
    await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    epoch, revision, at = await connection.fetchrow("SELECT epoch, revision, last_at FROM state")
    yield SnapshotStart(epoch, revision, at)
    rows = await connection.fetch(postgres_history.RECORDS)
    for key, value in postgres_history.records_of(rows).items():
        yield Record(key, value)
    async for rows in _in_portions(connection, _MAPPINGS):
        for zone_id, mappings in _by_zone(rows):
            yield ZoneMappings(zone_id, mappings)
    if history:
        async for rows in _in_portions(connection, postgres_history.ALL):
            yield History([postgres_history.change_of(row) for row in rows])


async def load(connection: asyncpg.Connection, parts: AsyncIterator[Part]) -> None:
    """Replace everything by a snapshot."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", RECORDS)
    await connection.fetchrow(COUNTER)
    for table in ("mapping", "zone", "record", "change"):
        # Not TRUNCATE: its lock would block readers until the snapshot is complete.
        await connection.execute(f"DELETE FROM {table}")  # noqa: S608 (names of our own)
    start, oldest = SnapshotStart("", 0, 0), None
    counts: dict[str, int] = {}
    mappings = _Pile(connection, "mapping", _MAPPING_COLUMNS)
    changes = _Pile(connection, "change", postgres_history.COLUMNS)
    async for part in parts:
        if isinstance(part, SnapshotStart):
            start = part
        elif isinstance(part, Record):
            await put_record(connection, part.key, part.value)
            if part.key.kind is Kind.ZONE:
                counts.setdefault(part.key.id, 0)
        elif isinstance(part, ZoneMappings):
            counts[part.zone_id] = counts.get(part.zone_id, 0) + len(part.mappings)
            await mappings.add((part.zone_id, m[0], text_of(m[1]), *m[2:]) for m in part.mappings)
        elif part.changes:
            oldest = part.changes[0].revision - 1 if oldest is None else oldest
            await changes.add(postgres_history.row_of(change) for change in part.changes)
    await mappings.flush()
    await changes.flush()
    await connection.copy_records_to_table(
        "zone", records=counts.items(), columns=("id", "mappings")
    )
    await connection.execute(
        "UPDATE state SET epoch = $1, is_replica = true, revision = $2, last_at = $3, oldest = $4",
        *(start.epoch, start.revision, start.at, start.revision if oldest is None else oldest),
    )


@contextlib.contextmanager
def checked_by_database() -> Iterator[None]:
    """Raise BrokenFeed if the database rejects another database's data."""
    try:
        yield
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
        raise BrokenFeed(f"the database rejected it: {error}") from None


async def apply(
    connection: asyncpg.Connection, changes: Sequence[Change], view: KnownState
) -> None:
    """Write changes of another database. Raises BrokenFeed unless they fit the stored values."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", RECORDS)
    await view.look(connection)
    counter = Counter(*await connection.fetchrow(COUNTER))
    change_checks.check_order(changes, counter.revision)
    change_checks.check_records(view.records.view, changes)
    cache = await _stored(connection, counter, changes)
    final: dict[Key, RecordChange] = {}
    for change in changes:
        if isinstance(change.what, RecordChange):
            final.pop(change.what.key, None)
            final[change.what.key] = change.what
    await _put_records(connection, final.values())
    draft = Draft(cache)
    for change in changes:
        if isinstance(change.what, MappingChange):
            draft.add(change.zone_id, change.what, change.revision, change.at, change.cause)
    of_records = [change for change in changes if isinstance(change.what, RecordChange)]
    await connection.executemany(INSERT_CHANGE, map(postgres_history.row_of, of_records))
    draft.set_counter(changes[-1].revision, changes[-1].at)
    await connection.execute(WRITE, *draft.arguments())


async def _stored(
    connection: asyncpg.Connection, counter: Counter, changes: Sequence[Change]
) -> MappingCache:
    """Return the zones and mappings of `changes`. Raises BrokenFeed unless they fit."""
    zones, keys = (
        list({change.zone_id for change in changes}),
        change_checks.changed_addresses(changes),
    )
    of_zones = await connection.fetch(ZONES, zones)
    arguments = [zone_id for zone_id, _ in keys], [address for _, address in keys]
    of_mappings = await connection.fetch(STORED, *arguments)
    sizes = {row[0]: row[5] for row in of_zones}
    change_checks.check_zones(sizes, sizes, changes)
    stored = {(row[0], Address(row[1])): place_of(row[2]) for row in of_mappings}
    change_checks.check_places(stored, changes)
    cache = MappingCache()
    cache.learn(counter, [(zone_id, None) for zone_id in zones], of_zones)
    return cache


async def promote(connection: asyncpg.Connection) -> None:
    """Give the database a new epoch."""
    sql = "UPDATE state SET epoch = $1, is_replica = false WHERE one"
    await connection.execute(sql, secrets.token_hex(8))


async def forget(connection: asyncpg.Connection, up_to: int, limit: int) -> int:
    """Delete the oldest changes and return their number."""
    oldest, revision = await connection.fetchrow("SELECT oldest, revision FROM state WHERE one")
    newest = min(up_to, oldest + limit, revision - 1)
    if newest <= oldest:
        return 0
    await connection.execute("DELETE FROM change WHERE revision <= $1", newest)
    await connection.execute("UPDATE state SET oldest = greatest(oldest, $1) WHERE one", newest)
    return int(newest - oldest)


class _Pile:
    """Rows for one table, copied in portions."""

    def __init__(self, connection: asyncpg.Connection, table: str, columns: Sequence[str]) -> None:
        self._connection = connection
        self._table = table
        self._columns = columns
        self._rows: list[tuple[object, ...]] = []

    async def add(self, rows: Iterable[tuple[object, ...]]) -> None:
        """Add rows."""
        self._rows.extend(rows)
        if len(self._rows) >= 10 * _PART:
            await self.flush()

    async def flush(self) -> None:
        """Copy the remaining rows."""
        rows, self._rows = self._rows, []
        await self._connection.copy_records_to_table(
            self._table, records=rows, columns=self._columns
        )


async def _put_records(connection: asyncpg.Connection, changes: Iterable[RecordChange]) -> None:
    """Write the records as the changes leave them; deletions first, because other records may take
    their names."""
    for change in sorted(changes, key=lambda change: change.after is not None):
        key = change.key
        if change.after is not None:
            await put_record(connection, key, change.after)
            if key.kind is Kind.ZONE:
                sql = "INSERT INTO zone (id) VALUES ($1) ON CONFLICT (id) DO NOTHING"
                await connection.execute(sql, key.id)
            continue
        sql = "DELETE FROM record WHERE kind = $1 AND id = $2"
        await connection.execute(sql, key.kind.value, key.id)
        if key.kind is Kind.ZONE:
            await connection.execute("DELETE FROM zone WHERE id = $1", key.id)


async def _in_portions(connection: asyncpg.Connection, sql: str) -> AsyncIterator[list[Any]]:
    cursor = await connection.cursor(sql)
    while rows := await cursor.fetch(_PART):
        yield rows


def _by_zone(rows: Sequence[Any]) -> Iterable[tuple[str, list[Mapping]]]:
    zones: dict[str, list[Mapping]] = {}
    for zone_id, address, place, modified_on, revision in rows:
        mapping = Mapping(Address(address), place_of(place), modified_on, revision)
        zones.setdefault(zone_id, []).append(mapping)
    return zones.items()
