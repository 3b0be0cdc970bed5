"""The store in a SQLite file, for one process.

Statements run on the event loop, because they take microseconds and a thread switch takes longer;
only COMMIT, which waits for the disk, runs in a thread. Meanwhile reads continue on a second
connection, and the next group of writes collects. See docs/decisions/0003.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import apsw

from originmap.domain.errors import ZoneNotFound
from originmap.domain.history.change import Cause, Change, Committed
from originmap.domain.history.record import Key, RecordChange, RecordDecide
from originmap.domain.history.snapshot import MappingSelection, Part
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Decide, Mapping
from originmap.domain.tier.whatif import Count
from originmap.store import records
from originmap.store.base import GroupStore
from originmap.store.clock import ForwardClock, Now, wall_clock
from originmap.store.group import Write
from originmap.store.port import CommitListener, Page, RecordListener, Store
from originmap.store.recovery import Recovery
from originmap.store.sqlite import copy as sqlite_copy
from originmap.store.sqlite import history as sqlite_history
from originmap.store.sqlite.file import SqliteFile
from originmap.store.sqlite.file_state import mark_of
from originmap.store.sqlite.integer_keys import IntegerKeys
from originmap.store.sqlite.reader import Reader
from originmap.store.sqlite.writer import RowWriter

T = TypeVar("T")

_GET = "SELECT place, modified_on, revision FROM mapping WHERE zone = ? AND address = ?"
_PAGE = """
    SELECT address, place, modified_on, revision FROM mapping
    WHERE zone = ? AND address > ? ORDER BY address LIMIT ? OFFSET ?"""
_TOTAL = "SELECT mappings FROM zone WHERE num = ?"
_COUNT_PLACES = """
    SELECT mapping.place, count(*) FROM mapping JOIN place ON place.num = mapping.place
    WHERE zone = ? GROUP BY mapping.place ORDER BY vendor, region"""
_MOST_PAGES = 10_000
_WATCH_SECONDS = 5.0
_NOBODY = Cause("", "", "")


class SqliteStore(GroupStore, Store):
    """The SQLite store; create it inside a running event loop."""

    def __init__(self, path: Path, now: Now = wall_clock, *, erases: bool = False) -> None:
        """Open the database file at `path`, and create it if needed. With `erases`, deleted data is
        overwritten.

        Raises StoreOwned and StoreUnusable.
        """
        self._file = SqliteFile(path, erases=erases)
        self._reader = Reader(self._file.reader, self._file.failing)
        with self._file.first_read():
            self._names = IntegerKeys(self._file.writer)
            self._records = records.Records()
            self._records.apply(sqlite_history.all_records(self._file.writer))
            self._committed = sqlite_history.last_revision(self._file.writer)
            self._writer = RowWriter(self._file.writer, self._names, self._committed)
            self._clock = ForwardClock(now, sqlite_history.last_time(self._file.writer))
            self._take_meta()
        # By zone and offset, until the next commit: SQLite then need not count rows up to a page.
        self._address_before: dict[tuple[str, int], bytes] = {}
        self._listeners: list[CommitListener] = []
        self._writable, self._closed = True, False
        self._record_changes: list[RecordChange] = []  # of the group that is being committed
        self._worked = False  # whether that group makes changes without a revision
        self._loaded = False  # whether it replaces everything
        self._generation = 0
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._publishing = asyncio.Lock()  # held from a commit until it is published
        super().__init__(self._commit)
        self._recovery = Recovery(self._probe)
        self._watch = asyncio.get_running_loop().create_task(self._watch_file())

    @property
    def epoch(self) -> str:
        return self._epoch

    @property
    def revision(self) -> int:
        return self._committed

    @property
    def generation(self) -> int:
        return self._generation

    @property
    def oldest(self) -> int:
        return self._oldest

    @property
    def is_replica(self) -> bool:
        return self._is_replica

    @property
    def writable(self) -> bool:
        return self._writable and not self._file.state.problem()

    def follow_records(self, listener: RecordListener) -> None:
        self._records.follow(listener)

    def follow_commits(self, listener: CommitListener) -> None:
        self._listeners.append(listener)

    async def get(self, zone_id: str, address: Address) -> Mapping | None:
        return self.get_now(zone_id, address)

    def get_now(self, zone_id: str, address: Address) -> Mapping | None:
        rows = self._reader.rows(_GET, (self._names.zone(zone_id), address))
        if not rows:
            return None
        num, modified_on, revision = rows[0]
        return Mapping(address, self._names.places[num], modified_on, revision)

    async def page(self, zone_id: str, offset: int, limit: int) -> Page:
        return self.page_now(zone_id, offset, limit)

    def page_now(self, zone_id: str, offset: int, limit: int) -> Page:
        zone, places, before = self._names.zone(zone_id), self._names.places, self._address_before
        last = before.get((zone_id, offset))
        start = (b"", limit, offset) if last is None else (last, limit, 0)
        # All reads of a turn share a snapshot, so page and total are of the same commit.
        rows = self._reader.rows(_PAGE, (zone, *start))
        total = self._reader.rows(_TOTAL, (zone,))
        if len(rows) == limit and len(before) < _MOST_PAGES:
            before[zone_id, offset + limit] = rows[-1][0]
        make = tuple.__new__  # takes half the time of the constructor
        mappings = [make(Mapping, (row[0], places[row[1]], row[2], row[3])) for row in rows]
        return Page(mappings, total[0][0] if total else 0, self._committed)

    async def count_places(self, zone_ids: Sequence[str]) -> list[Count]:
        return [
            Count(zone_id, self._names.places[place], origins)
            for zone_id in zone_ids
            for place, origins in self._reader.rows(_COUNT_PLACES, (self._names.zone(zone_id),))
        ]

    async def changes(self, since: int, limit: int, zone_id: str | None = None) -> list[Change]:
        with self._file.failing():
            return sqlite_history.changes_since(
                self._reader.connection, self._names, since, limit, zone_id
            )

    async def time_of(self, revision: int) -> int | None:
        with self._file.failing():
            if self._oldest < revision <= self._committed:
                return sqlite_history.time_of(self._reader.connection, revision)
            if 0 < revision == self._committed:
                return sqlite_history.last_time(self._reader.connection)
        return None

    async def changes_before(
        self,
        revision: int,
        limit: int,
        zone_id: str | None = None,
        address: Address | None = None,
    ) -> list[Change]:
        scope = (revision, limit, zone_id, address)
        with self._file.failing():
            return sqlite_history.changes_before(self._reader.connection, self._names, *scope)

    async def last_record_change(self, key: Key) -> Change | None:
        with self._file.failing():
            return sqlite_history.last_record_change(self._reader.connection, self._names, key)

    async def forget(self, up_to: int, limit: int) -> int:
        async def work() -> int:
            self._worked = True
            return sqlite_copy.forget(self._writer, up_to, limit)

        return await self._work(work)

    async def snapshot(
        self, *, history: bool = False, selection: MappingSelection | None = None
    ) -> AsyncGenerator[Part, None]:
        with self._file.failing():
            async with self._publishing:  # only published commits are read
                records = list(self._records.view.items())
                snapshot = sqlite_copy.Snapshot(self._file.connect(), records)
            parts = snapshot.parts(history=history, selection=selection)
            async with contextlib.aclosing(parts):
                async for part in parts:
                    yield part

    async def load(self, parts: AsyncIterator[Part]) -> None:
        async def work() -> None:
            loader, self._worked = sqlite_copy.Loader(self._writer), True
            with sqlite_copy.checked_by_database():
                start = await loader.load(parts)
            self._record_changes = records.replacing(self._records.view, loader.records)
            self._loaded = True
            self._clock = self._clock.after(start.at)

        await self._work(work)
        if self._file.erases:
            await self._in_thread(self._file.empty_log)

    async def apply(self, changes: Sequence[Change]) -> None:
        async def work() -> None:
            with sqlite_copy.checked_by_database():
                stored = self._records.view
                self._record_changes = await sqlite_copy.apply(self._writer, changes, stored)
            if changes:
                if not self._is_replica:
                    self._worked = True
                    sqlite_copy.set_meta(self._writer, replica="1")
                self._clock = self._clock.after(changes[-1].at)

        await self._work(work)

    async def promote(self) -> None:
        async def work() -> None:
            self._worked = True
            mark_of(self._file.path).unlink(missing_ok=True)
            sqlite_copy.promote(self._writer)

        await self._work(work)

    async def size(self) -> int:
        return self._file.size()

    def room(self) -> int | None:
        return self._file.state.room()

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._recovery.end()
        self._watch.cancel()
        await self._group.close()
        self._committer.shutdown()
        self._reader.release()
        self._file.close()

    async def _watch_file(self) -> None:
        """Log problems of the file, even if readiness is never requested."""
        while True:
            self._file.state.problem()
            await asyncio.sleep(_WATCH_SECONDS)

    async def _probe(self) -> None:
        """Make a commit that changes nothing."""

        async def work() -> None:
            self._worked = True
            self._writer.probe()

        await self._work(work)

    async def _work(self, work: Callable[[], Awaitable[T]]) -> T:
        done = await self._group.submit(Write(_NOBODY, work=work))
        outcome: T = done.outcome
        return outcome

    async def _commit(self, group: Sequence[Write]) -> None:
        """Settle every write of the group in one transaction, and wait for the disk."""
        writer = self._writer
        self._record_changes, self._worked, self._loaded = [], False, False
        self._file.state.check_there()
        try:
            writer.connection.execute("BEGIN IMMEDIATE")
            for write in group:
                if write.decide is not None:
                    self._settle(write, write.decide)
                elif write.decide_records is not None:
                    await self._settle_records(write, write.decide_records)
                elif write.work is not None:
                    write.done(Committed(0, 0, await write.work()))
            writer.write_history()
            if writer.revision == self._committed and not self._worked:
                writer.connection.execute("ROLLBACK")
                return
            await self._commit_and_publish()
        except apsw.Error:
            self._writable = False
            self._recovery.begin()
            with self._file.failing():
                self._undo()
                raise
        except BaseException:
            self._undo()
            raise
        if self._file.log_is_long:
            await self._in_thread(self._file.fold_log)

    async def _commit_and_publish(self) -> None:
        """Commit, and let reads see the commit only when it is published."""
        async with self._publishing:
            self._reader.hold()
            try:
                await self._in_thread(self._file.writer.execute, "COMMIT")
            finally:
                self._reader.release()
            self._publish()

    async def _in_thread(self, function: Callable[..., object], *arguments: object) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._committer, function, *arguments)

    def _publish(self) -> None:
        """Publish the commit to readers and listeners."""
        self._committed = self._writer.revision
        self._generation += self._loaded
        self._names.committed()
        self._address_before.clear()
        self._writable = True
        if self._worked:
            self._take_meta()
        if self._record_changes:
            self._records.apply(self._record_changes)
        for listener in self._listeners:
            listener()

    def _take_meta(self) -> None:
        connection = self._file.writer
        self._epoch = sqlite_history.epoch(connection)
        self._oldest = sqlite_history.oldest(connection)
        self._is_replica = sqlite_history.is_replica(connection)

    def _undo(self) -> None:
        self._writer.revision = self._committed
        self._writer.drop_history()
        if self._writer.connection.in_transaction:
            self._writer.connection.execute("ROLLBACK")
        self._names.reload()

    def _settle(self, write: Write, decide: Decide[object]) -> None:
        try:
            zone = self._names.zone(write.zone_id)
            if zone is None:
                raise ZoneNotFound(write.zone_id)
            decision = decide(self._writer.view(zone, write.addresses))
        except apsw.Error:
            raise
        except Exception as error:  # a rejection or a bug in one rule; other writes go on
            write.refused(error)
            return
        at, first = self._clock.stamp(), self._writer.revision
        if decision.changes:
            first += 1
            self._writer.write(zone, at, write.cause, decision.changes)
        write.done(Committed(at, first, decision.outcome))

    async def _settle_records(self, write: Write, decide: RecordDecide[object]) -> None:
        try:
            records.check_seen(write.seen, self._writer.revision)
            decision = decide(self._records.view)
            records.check_names(self._records.view, decision.changes)
        except Exception as error:  # as in `_settle`
            write.refused(error)
            return
        at, first = self._clock.stamp(), self._writer.revision
        if decision.changes:
            first += 1
            self._writer.cause(write.cause, at)
        for change in decision.changes:
            await asyncio.sleep(0)  # some records have megabytes
            self._writer.record(change)
        self._record_changes.extend(decision.changes)
        write.done(Committed(at, first, decision.outcome))
