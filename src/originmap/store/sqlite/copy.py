"""Snapshots of SQLite databases, and writing the changes and snapshots of a primary.

Both work in portions and yield to the event loop in between, as a database can have millions of
mappings.
"""

import asyncio
import contextlib
import secrets
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from collections.abc import Mapping as MappingABC
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import apsw

from originmap.domain.errors import BrokenFeed
from originmap.domain.history.change import Change
from originmap.domain.history.record import Key, Kind, RecordChange, Value
from originmap.domain.history.snapshot import (
    History,
    MappingSelection,
    Part,
    Record,
    SnapshotStart,
    ZoneMappings,
)
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping, MappingChange, Place
from originmap.store import change_checks
from originmap.store.sqlite import history as sqlite_history
from originmap.store.sqlite.bulk_insert import BulkInsert
from originmap.store.sqlite.integer_keys import IntegerKeys
from originmap.store.sqlite.writer import RowWriter

_PORTION = 1_000
"""Rows between two yields to the event loop: one to three milliseconds."""
_RUN = 250
"""Changes to write between two yields to the event loop: they take longer than rows."""

_MAPPINGS = """
    SELECT zone.id, address, place, modified_on, revision
    FROM zone CROSS JOIN mapping ON mapping.zone = zone.num ORDER BY zone.id, address"""
_MAPPINGS_OF_ZONES = """
    SELECT zone.id, address, place, modified_on, revision
    FROM zone CROSS JOIN mapping ON mapping.zone = zone.num
    WHERE zone.id IN carray(?1) ORDER BY zone.id, address"""
_MAPPINGS_OF_ADDRESSES = """
    SELECT zone.id, address, place, modified_on, revision
    FROM zone CROSS JOIN mapping ON mapping.zone = zone.num
    WHERE zone.id NOT IN carray(?1) AND address IN carray(?2) ORDER BY zone.id, address"""
_PUT = BulkInsert("mapping", "zone, address, place, modified_on, revision")
# Zones and regions keep their integers, because concurrent readers have them cached.
_EMPTIED = ("mapping", "record", "cause", "mapping_change", "record_change")
_PLACES = "SELECT address, place FROM mapping WHERE zone = ?1 AND address IN carray(?2)"
_COUNT_ALL = """
    UPDATE zone SET mappings = (SELECT count(*) FROM mapping WHERE mapping.zone = zone.num)"""


class Snapshot:
    """A consistent view as of its creation, through its own connection; `records` are those of the
    same moment."""

    def __init__(self, connection: apsw.Connection, records: Sequence[tuple[Key, Value]]) -> None:
        self._connection = connection
        self._records = records
        try:
            connection.execute("BEGIN")
            self._last = sqlite_history.last_revision(connection)
        except BaseException:
            connection.close()
            raise

    async def parts(
        self, *, history: bool, selection: MappingSelection | None
    ) -> AsyncGenerator[Part, None]:
        """Yield the parts of the snapshot (see `Store.snapshot`), then close the connection."""
        connection, last = self._connection, self._last
        with contextlib.closing(connection):
            names = IntegerKeys(connection)
            epoch, at = sqlite_history.epoch(connection), sqlite_history.last_time(connection)
            yield SnapshotStart(epoch, last, at)
            for record in self._records:
                yield Record(*record)
            rows = _mappings(connection, selection)
            while portion := list(islice(rows, _PORTION)):
                for part in _by_zone(portion, names):
                    yield part
                await asyncio.sleep(0)
            since = sqlite_history.oldest(connection) if history else last
            while changes := sqlite_history.changes_since(connection, names, since, _PORTION):
                yield History(changes)
                since = changes[-1].revision
                await asyncio.sleep(0)


def _mappings(connection: apsw.Connection, selection: MappingSelection | None) -> Iterator[Any]:
    """The rows of the selected mappings, zone by zone."""
    if selection is None:
        return iter(connection.execute(_MAPPINGS))
    zones = apsw.carray(tuple(selection.zones or ("",)))
    rows = iter(connection.execute(_MAPPINGS_OF_ZONES, (zones,)))
    if not selection.addresses:
        return rows
    addresses = apsw.carray(tuple(selection.addresses))
    others = connection.execute(_MAPPINGS_OF_ADDRESSES, (zones, addresses))
    return merge(rows, others, key=itemgetter(0))


def _by_zone(rows: list[Any], names: IntegerKeys) -> Iterator[ZoneMappings]:
    for zone_id, of_zone in groupby(rows, itemgetter(0)):
        yield ZoneMappings(
            zone_id,
            [
                Mapping(Address(address), names.places[place], modified_on, revision)
                for _, address, place, modified_on, revision in of_zone
            ],
        )


class Loader:
    """Replaces everything in a database by a snapshot, inside a transaction."""

    def __init__(self, writer: RowWriter) -> None:
        self._writer = writer
        self._start: SnapshotStart | None = None
        self._history_since: int | None = None
        self._last_at: int | None = None
        self._zones: dict[str, int] = {}
        self.records: dict[Key, Value] = {}
        """All records of the snapshot."""

    async def load(self, parts: AsyncIterator[Part]) -> SnapshotStart:
        """Write all parts; the database then has the snapshot's revision."""
        run = self._writer.cursor.execute
        for table in _EMPTIED:
            run(f"DELETE FROM {table}")  # noqa: S608 (the names are above)
        self._writer.names.replace_zones()
        async for part in parts:
            self._take(part)
            await asyncio.sleep(0)
        if self._start is None:
            raise BrokenFeed("the snapshot has no start")
        run(_COUNT_ALL)
        oldest = self._start.revision if self._history_since is None else self._history_since
        set_meta(self._writer, epoch=self._start.epoch, oldest=str(oldest), replica="1")
        set_meta(self._writer, loaded_at=str(self._start.at))
        self._writer.revision = self._start.revision
        return self._start

    def _take(self, part: Part) -> None:
        match part:
            case SnapshotStart():
                self._start = part
            case Record(key, value):
                self._writer.put_record(key, value)
                if key.kind is Kind.ZONE:
                    self._zones[key.id] = self._writer.names.keep_zone(key.id)
                self.records[key] = value
            case ZoneMappings(zone_id, mappings):
                self._put(zone_id, mappings)
            case History(changes):
                if self._history_since is None:
                    self._history_since = changes[0].revision - 1
                self._remember(changes)

    def _put(self, zone_id: str, mappings: Sequence[Mapping]) -> None:
        zone, names = self._zones.get(zone_id), self._writer.names
        if zone is None:
            raise BrokenFeed(f"mappings of a zone that is not in the snapshot: {zone_id}")
        rows = [(zone, m.address, names.place_num(m.place), *m[2:]) for m in mappings]
        _PUT.many(self._writer.cursor, rows)

    def _remember(self, changes: Sequence[Change]) -> None:
        self._last_at = _causes(self._writer, changes, self._last_at)
        for change in changes:
            if isinstance(change.what, MappingChange):
                zone = self._writer.names.zone_ever(change.zone_id)
                self._writer.mapping_history(change.revision, zone, change.what)
            else:
                self._writer.record_history(change.revision, change.what)


@contextlib.contextmanager
def checked_by_database() -> Iterator[None]:
    """Raise BrokenFeed if the database rejects another database's data."""
    try:
        yield
    except apsw.ConstraintError as error:
        raise BrokenFeed(f"the database rejected it: {error}") from None


async def apply(
    writer: RowWriter, changes: Sequence[Change], stored: MappingABC[Key, Value]
) -> list[RecordChange]:
    """Write the changes of another database, inside a transaction, and return those of records.

    `stored` are the current records. Raises BrokenFeed unless the changes fit the stored values.
    """
    change_checks.check_order(changes, writer.revision)
    change_checks.check_records(stored, changes)
    of_records: list[RecordChange] = []
    last_at = sqlite_history.last_cause_time(writer.connection)
    for kind, alike in groupby(changes, lambda change: type(change.what)):
        while run := list(islice(alike, _RUN if kind is MappingChange else 1)):
            change_checks.check_places(_stored_places(writer, run), run)
            last_at = _causes(writer, run, last_at)
            writer.mappings(
                (_zone(writer, zone_id), at, what)
                for _, at, _, zone_id, what in run
                if isinstance(what, MappingChange)
            )
            for change in run:
                if isinstance(change.what, RecordChange):
                    _check_leaves_empty(writer, change.what)
                    writer.record(change.what)
                    of_records.append(change.what)
            await asyncio.sleep(0)
    return of_records


def _stored_places(
    writer: RowWriter, changes: Sequence[Change]
) -> dict[change_checks.MappingKey, Place]:
    """Return the stored regions of the addresses in `changes`."""
    by_zone: defaultdict[str, list[Address]] = defaultdict(list)
    for zone_id, address in change_checks.changed_addresses(changes):
        by_zone[zone_id].append(address)
    places = {}
    for zone_id, addresses in by_zone.items():
        bindings = (_zone(writer, zone_id), apsw.carray(tuple(addresses)))
        for address, place in writer.cursor.execute(_PLACES, bindings):
            places[zone_id, Address(address)] = writer.names.places[place]
    return places


def _check_leaves_empty(writer: RowWriter, change: RecordChange) -> None:
    kind, id_ = change.key
    if kind is Kind.ZONE and change.after is None:
        sql = "SELECT mappings FROM zone WHERE num = ?"
        if writer.cursor.execute(sql, (_zone(writer, id_),)).get:
            raise BrokenFeed(f"zone {id_} is deleted but still has mappings here")


def _causes(writer: RowWriter, changes: Sequence[Change], last_at: int | None) -> int | None:
    """Write the causes of changes and return the time of the last one.

    Changes with the same time have the same cause. The cause of `last_at` is already written;
    `last_at` is None if there is none: a snapshot without history has no causes, and may end
    between two changes of one cause.
    """
    rows = []
    for revision, at, cause, _, _ in changes:
        if at != last_at:
            rows.append((revision, at, *cause))
            last_at = at
    writer.causes(rows)
    return last_at


def _zone(writer: RowWriter, zone_id: str) -> int:
    zone = writer.names.zone(zone_id)
    if zone is None:
        raise BrokenFeed(f"mapping in an unknown zone: {zone_id}")
    return zone


def promote(writer: RowWriter) -> str:
    """Write a new epoch, inside a transaction, and return it."""
    epoch = secrets.token_hex(8)
    set_meta(writer, epoch=epoch, replica="0")
    return epoch


def forget(writer: RowWriter, up_to: int, limit: int) -> int:
    """Delete the oldest changes, inside a transaction; return their number."""
    run = writer.cursor.execute
    oldest = sqlite_history.oldest(writer.connection)
    until = min(up_to, oldest + limit, writer.revision - 1)
    if until <= oldest:
        return 0
    run("DELETE FROM mapping_change WHERE revision <= ?", (until,))
    run("DELETE FROM record_change WHERE revision <= ?", (until,))
    # The cause of the first remaining change may be older than that change.
    run(
        """DELETE FROM cause WHERE revision <
           (SELECT max(revision) FROM cause WHERE revision <= ?)""",
        (until + 1,),
    )
    set_meta(writer, oldest=str(until))
    return until - oldest


def set_meta(writer: RowWriter, **values: str) -> None:
    """Write properties of the database itself."""
    sql = "UPDATE meta SET value = ? WHERE key = ?"
    writer.cursor.executemany(sql, [(value, key) for key, value in values.items()])
