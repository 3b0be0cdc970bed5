"""Copies of SQLite databases: reading a snapshot, and becoming a replica.

Both work in portions and let the event loop go on between them, since a database can hold
millions of mappings.
"""

import asyncio
import contextlib
import secrets
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from collections.abc import Mapping as MappingABC
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import apsw

from originmap.domain.errors import BrokenFeed
from originmap.domain.history.change import Change
from originmap.domain.history.record import Key, Kind, RecordChange, Value
from originmap.domain.history.snapshot import History, Part, Record, SnapshotStart, ZoneMappings
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping, MappingChange, Place
from originmap.store import incoming
from originmap.store.sqlite import history as sqlite_history
from originmap.store.sqlite.insert import Insert
from originmap.store.sqlite.names import Names
from originmap.store.sqlite.writer import RowWriter

_PORTION = 1_000
"""Rows between two chances for others: one to three milliseconds."""
_RUN = 250
"""Changes that are written between two chances for others: they take longer."""

_MAPPINGS = """
    SELECT zone.id, address, place, modified_on, revision
    FROM zone CROSS JOIN mapping ON mapping.zone = zone.num ORDER BY zone.id, address"""
_PUT = Insert("mapping", "zone, address, place, modified_on, revision")
# Zones and places keep their integers: those who read meanwhile know them by these.
_EMPTIED = ("mapping", "record", "cause", "mapping_change", "record_change")
_PLACES = "SELECT address, place FROM mapping WHERE zone = ?1 AND address IN carray(?2)"
_COUNT_ALL = """
    UPDATE zone SET mappings = (SELECT count(*) FROM mapping WHERE mapping.zone = zone.num)"""


class Snapshot:
    """Everything as of the moment that this is made, through a connection of its own; `records`
    are those of that moment."""

    def __init__(self, connection: apsw.Connection, records: Sequence[tuple[Key, Value]]) -> None:
        self._connection = connection
        self._records = records
        try:
            connection.execute("BEGIN")
            self._last = sqlite_history.last_revision(connection)
        except BaseException:
            connection.close()
            raise

    async def parts(self, *, history: bool) -> AsyncGenerator[Part, None]:
        """As `Store.snapshot`; closes the connection at the end."""
        connection, last = self._connection, self._last
        with contextlib.closing(connection):
            names = Names(connection)
            epoch, at = sqlite_history.epoch(connection), sqlite_history.last_time(connection)
            yield SnapshotStart(epoch, last, at)
            for record in self._records:
                yield Record(*record)
            rows = iter(connection.execute(_MAPPINGS))
            while portion := list(islice(rows, _PORTION)):
                for part in _by_zone(portion, names):
                    yield part
                await asyncio.sleep(0)
            since = sqlite_history.oldest(connection) if history else last
            while changes := sqlite_history.changes_since(connection, names, since, _PORTION):
                yield History(changes)
                since = changes[-1].revision
                await asyncio.sleep(0)


def _by_zone(rows: list[Any], names: Names) -> Iterator[ZoneMappings]:
    for zone_id, of_zone in groupby(rows, itemgetter(0)):
        yield ZoneMappings(
            zone_id,
            [
                Mapping(Address(address), names.place(place), modified_on, revision)
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
        """Every record of the snapshot."""

    async def load(self, parts: AsyncIterator[Part]) -> SnapshotStart:
        """Take every part in; the database is at the snapshot's revision then."""
        run = self._writer.cursor.execute
        for table in _EMPTIED:
            run(f"DELETE FROM {table}")  # noqa: S608 (the names are above)
        self._writer.names.replace_zones()
        async for part in parts:
            self._take(part)
            await asyncio.sleep(0)
        if self._start is None:
            raise BrokenFeed("a snapshot without a start")
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
    """What the database refuses of another one's data is the other one's fault: BrokenFeed."""
    try:
        yield
    except apsw.ConstraintError as error:
        raise BrokenFeed(f"the database refuses it: {error}") from None


async def apply(
    writer: RowWriter, changes: Sequence[Change], stored: MappingABC[Key, Value]
) -> list[RecordChange]:
    """Write another database's changes as they are, inside a transaction; those of records. Raises
    BrokenFeed unless they fit what is there; `stored` are the records."""
    incoming.check_order(changes, writer.revision)
    incoming.check_records(stored, changes)
    of_records: list[RecordChange] = []
    last_at = sqlite_history.last_cause_time(writer.connection)
    for kind, alike in groupby(changes, lambda change: type(change.what)):
        while run := list(islice(alike, _RUN if kind is MappingChange else 1)):
            incoming.check_places(_stored_places(writer, run), run)
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


def _stored_places(writer: RowWriter, changes: Sequence[Change]) -> dict[incoming.Asked, Place]:
    """The places of the addresses that `changes` are of."""
    by_zone: defaultdict[str, list[Address]] = defaultdict(list)
    for zone_id, address in incoming.asked(changes):
        by_zone[zone_id].append(address)
    found = {}
    for zone_id, addresses in by_zone.items():
        bindings = (_zone(writer, zone_id), apsw.carray(tuple(addresses)))
        for address, place in writer.cursor.execute(_PLACES, bindings):
            found[zone_id, Address(address)] = writer.names.place(place)
    return found


def _check_leaves_empty(writer: RowWriter, change: RecordChange) -> None:
    kind, id_ = change.key
    if kind is Kind.ZONE and change.after is None:
        sql = "SELECT mappings FROM zone WHERE num = ?"
        if writer.cursor.execute(sql, (_zone(writer, id_),)).get:
            raise BrokenFeed(f"zone {id_} goes, and has other mappings here")


def _causes(writer: RowWriter, changes: Sequence[Change], last_at: int | None) -> int | None:
    """Write the causes of changes: those of one time have one cause, and that of `last_at` is there
    already. The time of the last. None where no cause is there: a snapshot without history has
    none, and may have been taken in the middle of one."""
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
        raise BrokenFeed(f"a mapping of a zone that is not there: {zone_id}")
    return zone


def promote(writer: RowWriter) -> str:
    """A new epoch, inside a transaction."""
    epoch = secrets.token_hex(8)
    set_meta(writer, epoch=epoch, replica="0")
    return epoch


def forget(writer: RowWriter, up_to: int, limit: int) -> int:
    """Drop the oldest changes, inside a transaction; how many."""
    run = writer.cursor.execute
    oldest = sqlite_history.oldest(writer.connection)
    until = min(up_to, oldest + limit, writer.revision - 1)
    if until <= oldest:
        return 0
    run("DELETE FROM mapping_change WHERE revision <= ?", (until,))
    run("DELETE FROM record_change WHERE revision <= ?", (until,))
    # The cause of the first change that stays may be older than it.
    run(
        """DELETE FROM cause WHERE revision <
           (SELECT max(revision) FROM cause WHERE revision <= ?)""",
        (until + 1,),
    )
    set_meta(writer, oldest=str(until))
    return until - oldest


def set_meta(writer: RowWriter, **values: str) -> None:
    """Facts about the database itself."""
    sql = "UPDATE meta SET value = ? WHERE key = ?"
    writer.cursor.executemany(sql, [(value, key) for key, value in values.items()])
