"""The store in a SQLite file, for one process.

Statements run on the event loop, because they take microseconds and a hop to a thread takes
more; only COMMIT, which waits for the disk, runs in a thread. While it does, reads go on through
a second connection, and the next group collects. docs/decisions/0003 says why.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import apsw

from originmap.domain.address import Address
from originmap.domain.change import Cause, Change, Committed
from originmap.domain.errors import StoreFailed, ZoneNotFound
from originmap.domain.mapping import Decide, Mapping, MappingChange, Place, ZoneView
from originmap.domain.record import Key, Kind, RecordChange, RecordDecide
from originmap.domain.whatif import Count
from originmap.store import records, sqlite_history
from originmap.store.clock import ForwardClock, Now, wall_clock
from originmap.store.group import GroupCommit, Write
from originmap.store.port import Page, RecordListener
from originmap.store.sqlite_file import SqliteFile, rows
from originmap.store.sqlite_names import Names

T = TypeVar("T")

_GET = "SELECT place, modified_on, revision FROM mapping WHERE zone = ? AND address = ?"
_VIEW_ONE = """
    SELECT address, place, modified_on, revision FROM mapping WHERE zone = ? AND address = ?"""
_VIEW = """
    SELECT address, place, modified_on, revision FROM mapping
    WHERE zone = ?1 AND address IN carray(?2)"""
# One statement, so that a commit between two cannot make page and total disagree.
_PAGE = """
    SELECT z.mappings, m.address, m.place, m.modified_on, m.revision FROM zone AS z LEFT JOIN (
        SELECT address, place, modified_on, revision FROM mapping
        WHERE zone = ?1 ORDER BY address LIMIT ?2 OFFSET ?3) AS m ON true
    WHERE z.num = ?1"""
_COUNT_PLACES = """
    SELECT mapping.place, count(*) FROM mapping JOIN place ON place.num = mapping.place
    WHERE zone = ? GROUP BY mapping.place ORDER BY vendor, region"""
_UPSERT = """
    INSERT INTO mapping (zone, address, place, modified_on, revision) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (zone, address) DO UPDATE SET
        place = excluded.place, modified_on = excluded.modified_on, revision = excluded.revision"""
_DELETE = "DELETE FROM mapping WHERE zone = ? AND address = ?"
_CHANGE = "INSERT INTO mapping_change (revision, zone, address, before, after) VALUES (?,?,?,?,?)"
_CAUSE = "INSERT INTO cause (revision, at, credential, client, request) VALUES (?, ?, ?, ?, ?)"
_COUNT = "SELECT mappings FROM zone WHERE num = ?"
_ADD_COUNT = "UPDATE zone SET mappings = mappings + ? WHERE num = ?"
_RECORD = """
    INSERT INTO record (kind, id, name, body) VALUES (?, ?, ?, ?)
    ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name, body = excluded.body"""
_RECORD_CHANGE = "INSERT INTO record_change (revision, kind, id, before, after) VALUES (?,?,?,?,?)"
_CHANGE_ALL = """
    INSERT INTO mapping_change (revision, zone, address, before, after)
    SELECT ?2 + row_number() OVER (ORDER BY address), zone, address, place, NULL
    FROM mapping WHERE zone = ?1"""


@contextlib.contextmanager
def _failing() -> Iterator[None]:
    """Raise the database's errors as StoreFailed."""
    try:
        yield
    except apsw.Error as error:
        raise StoreFailed(str(error)) from error


class SqliteStore:
    """As `store.port.Store`; made inside a running event loop."""

    def __init__(self, path: Path, now: Now = wall_clock) -> None:
        """Open the database file at `path`, made when it is not there.

        Raises StoreOwned and StoreUnusable.
        """
        self._file = SqliteFile(path)
        self._reader, self._writer = self._file.reader, self._file.writer
        # Kept, because making one takes as long as the read that it is for.
        self._read_cursor, self._write_cursor = self._reader.cursor(), self._writer.cursor()
        self._names = Names(self._writer)
        self._records = records.Records()
        self._records.apply(sqlite_history.all_records(self._writer))
        self._committed = self._revision = sqlite_history.last_revision(self._writer)
        self._clock = ForwardClock(now, sqlite_history.last_time(self._writer))
        self._epoch = sqlite_history.epoch(self._writer)
        self._writable, self._closed, self._reading = True, False, False
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._group = GroupCommit(self._commit)

    @property
    def epoch(self) -> str:
        """As `Store.epoch`."""
        return self._epoch

    @property
    def revision(self) -> int:
        """As `Store.revision`."""
        return self._committed

    @property
    def writable(self) -> bool:
        """As `Store.writable`."""
        return self._writable

    def follow_records(self, listener: RecordListener) -> None:
        """As `Store.follow_records`."""
        self._records.follow(listener)

    async def get(self, zone_id: str, address: Address) -> Mapping | None:
        """As `Store.get`."""
        return self.get_now(zone_id, address)

    def get_now(self, zone_id: str, address: Address) -> Mapping | None:
        """As `Store.get_now`."""
        rows = self._read(_GET, (self._names.zone(zone_id), address))
        if not rows:
            return None
        place, modified_on, revision = rows[0]
        return Mapping(address, self._names.place(place), modified_on, revision)

    async def page(self, zone_id: str, offset: int, limit: int) -> Page:
        """As `Store.page`."""
        rows = self._read(_PAGE, (self._names.zone(zone_id), limit, offset))
        place = self._names.place
        mappings = [
            Mapping(Address(address), place(num), modified_on, revision)
            for _, address, num, modified_on, revision in rows
            if address is not None
        ]
        return Page(mappings, rows[0][0] if rows else 0)

    async def count_places(self, zone_ids: Sequence[str]) -> list[Count]:
        """As `Store.count_places`."""
        return [
            Count(zone_id, self._names.place(place), origins)
            for zone_id in zone_ids
            for place, origins in self._read(_COUNT_PLACES, (self._names.zone(zone_id),))
        ]

    async def write(
        self, zone_id: str, addresses: Sequence[Address], decide: Decide[T], cause: Cause
    ) -> Committed[T]:
        """As `Store.write`."""
        return await self._group.submit(Write(cause, zone_id, addresses, decide))

    async def write_records(self, decide: RecordDecide[T], cause: Cause) -> Committed[T]:
        """As `Store.write_records`."""
        return await self._group.submit(Write(cause, decide_records=decide))

    async def changes(self, since: int, limit: int) -> list[Change]:
        """As `Store.changes`."""
        with _failing():
            return sqlite_history.changes_since(self._reader, self._names, since, limit)

    async def changes_before(self, revision: int, limit: int) -> list[Change]:
        """As `Store.changes_before`."""
        with _failing():
            return sqlite_history.changes_before(self._reader, self._names, revision, limit)

    async def last_record_change(self, key: Key) -> Change | None:
        """As `Store.last_record_change`."""
        with _failing():
            return sqlite_history.last_record_change(self._reader, self._names, key)

    async def close(self) -> None:
        """As `Store.close`."""
        if self._closed:
            return
        self._closed = True
        await self._group.close()
        self._committer.shutdown()
        self._end_reading()
        self._file.close()

    def _read(self, sql: str, bindings: tuple[Any, ...]) -> list[Any]:
        """Read in the transaction of this turn of the event loop.

        All reads of a turn share one snapshot, because taking one costs as much as a read. It
        ends before anything that arrives later is looked at, so nobody reads what is older than
        an answer they got.
        """
        try:
            if not self._reading:
                self._read_cursor.execute("BEGIN")
                self._reading = True
                asyncio.get_running_loop().call_soon(self._end_reading)
            return rows(self._read_cursor, sql, bindings)
        except apsw.Error as error:
            raise StoreFailed(str(error)) from error

    def _end_reading(self) -> None:
        if self._reading:
            self._reading = False
            if self._reader.in_transaction:  # SQLite ends it itself after a failed read
                self._read_cursor.execute("COMMIT")

    async def _commit(self, group: Sequence[Write]) -> None:
        """Settle every write of the group in one transaction, and wait for the disk."""
        told: list[RecordChange] = []
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            for write in group:
                if write.decide is not None:
                    self._settle(write, write.decide)
                elif write.decide_records is not None:
                    told.extend(self._settle_records(write, write.decide_records))
            if self._revision == self._committed:
                self._writer.execute("ROLLBACK")
            else:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._committer, self._writer.execute, "COMMIT")
        except apsw.Error as error:
            self._undo()
            self._writable = False
            raise StoreFailed(str(error)) from error
        except BaseException:
            self._undo()
            raise
        self._end_reading()  # whoever is told of this commit reads it
        self._committed = self._revision
        self._writable = True
        if told:
            self._records.apply(told)

    def _undo(self) -> None:
        self._revision = self._committed
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")
        self._names.reload()

    def _settle(self, write: Write, decide: Decide[Any]) -> None:
        try:
            zone = self._names.zone(write.zone_id)
            if zone is None:
                raise ZoneNotFound(write.zone_id)
            decision = decide(self._view(zone, write.addresses))
        except apsw.Error:
            raise
        except Exception as error:  # a refusal, or a bug in this one rule: the others go on
            write.refused(error)
            return
        at = self._clock.stamp()
        first = self._revision + 1
        if decision.changes:
            self._write_cause(write.cause, at)
            self._write_changes(zone, decision.changes, at)
        else:
            first = self._revision
        write.done(Committed(at, first, decision.outcome))

    def _view(self, zone: int, addresses: Sequence[Address]) -> ZoneView:
        if not addresses:
            found = []
        elif len(addresses) == 1:
            found = rows(self._write_cursor, _VIEW_ONE, (zone, addresses[0]))
        else:
            found = rows(self._write_cursor, _VIEW, (zone, apsw.carray(tuple(addresses))))
        place = self._names.place
        current = {
            address: Mapping(address, place(num), modified_on, revision)
            for address, num, modified_on, revision in found
        }
        return ZoneView(current, rows(self._write_cursor, _COUNT, (zone,))[0][0])

    def _write_cause(self, cause: Cause, at: int) -> None:
        self._write_cursor.execute(
            _CAUSE, (self._revision + 1, at, cause.credential, cause.client, cause.request_id)
        )

    def _write_changes(self, zone: int, changes: Sequence[MappingChange], at: int) -> None:
        upserts, deletes, history = [], [], []
        for address, before, after in changes:
            self._revision += 1
            old, new = self._place_num(before), self._place_num(after)
            if new is None:
                deletes.append((zone, address))
            else:
                upserts.append((zone, address, new, at, self._revision))
            history.append((self._revision, zone, address, old, new))
        run = self._write_cursor.executemany
        run(_UPSERT, upserts)
        run(_DELETE, deletes)
        run(_CHANGE, history)
        growth = sum((after is not None) - (before is not None) for _, before, after in changes)
        if growth:
            self._write_cursor.execute(_ADD_COUNT, (growth, zone))

    def _place_num(self, place: Place | None) -> int | None:
        return None if place is None else self._names.place_num(place)

    def _settle_records(self, write: Write, decide: RecordDecide[Any]) -> tuple[RecordChange, ...]:
        try:
            decision = decide(self._records.view)
            records.check_names(self._records.view, decision.changes)
        except Exception as error:  # as in `_settle`
            write.refused(error)
            return ()
        at, first = self._clock.stamp(), self._revision
        if decision.changes:
            first += 1
            self._write_cause(write.cause, at)
        for change in decision.changes:
            self._write_record(change)
        write.done(Committed(at, first, decision.outcome))
        return decision.changes

    def _write_record(self, change: RecordChange) -> None:
        run, (kind, id_) = self._writer.execute, change.key
        if change.after is None:
            if kind is Kind.ZONE:
                self._empty_zone(self._names.zone(id_))
                self._names.drop_zone(id_)
            run("DELETE FROM record WHERE kind = ? AND id = ?", (kind.value, id_))
        else:
            name = records.unique_name(change.after)
            run(_RECORD, (kind.value, id_, name, records.encode(change.after)))
            if kind is Kind.ZONE and change.before is None:
                self._names.add_zone(id_)
        self._revision += 1
        bodies = records.encode(change.before), records.encode(change.after)
        run(_RECORD_CHANGE, (self._revision, kind.value, id_, *bodies))

    def _empty_zone(self, zone: int | None) -> None:
        """Delete a zone's mappings, each with its change record."""
        run = self._writer.execute
        run(_CHANGE_ALL, (zone, self._revision))
        run("DELETE FROM mapping WHERE zone = ?", (zone,))
        self._revision += self._writer.changes()
        run("UPDATE zone SET mappings = 0 WHERE num = ?", (zone,))
