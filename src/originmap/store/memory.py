"""The store in memory: plain dictionaries, not persistent, for trials and tests.

It is the shortest implementation of the contract, and the best one to read first.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import TypeVar

from originmap.domain.errors import BrokenFeed, OriginmapError, StoreFailed, ZoneNotFound
from originmap.domain.history.change import Cause, Change, Committed
from originmap.domain.history.record import Key, Kind, RecordChange, RecordDecide
from originmap.domain.history.snapshot import (
    History,
    MappingSelection,
    Part,
    Record,
    SnapshotStart,
    ZoneMappings,
)
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Decide, Mapping, MappingChange, ZoneView
from originmap.domain.tier.whatif import Count
from originmap.store import change_checks
from originmap.store.clock import ForwardClock, Now, wall_clock
from originmap.store.port import CommitListener, Page, Queue, RecordListener, Store
from originmap.store.records import Records, check_names, check_seen, replacing

T = TypeVar("T")


class MemoryStore(Store):
    """A store that is lost with the process."""

    def __init__(self, now: Now = wall_clock) -> None:
        self._epoch = secrets.token_hex(8)
        self._clock = ForwardClock(now, 0)
        self._zones: dict[str, dict[Address, Mapping]] = {}
        self._records = Records()
        self._history: list[Change] = []
        self._oldest = self._loaded_at = self._generation = self._writes = 0
        self._is_replica = False
        self._listeners: list[CommitListener] = []
        self._open = True
        self._refusal: OriginmapError | None = None

    @property
    def epoch(self) -> str:
        return self._epoch

    @property
    def revision(self) -> int:
        return self._oldest + len(self._history)

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
    def queue(self) -> Queue:
        return Queue(0, self._writes, self._writes)

    @property
    def writable(self) -> bool:
        return self._open

    def follow_records(self, listener: RecordListener) -> None:
        self._records.follow(listener)

    def follow_commits(self, listener: CommitListener) -> None:
        self._listeners.append(listener)

    async def get(self, zone_id: str, address: Address) -> Mapping | None:
        return self.get_now(zone_id, address)

    def get_now(self, zone_id: str, address: Address) -> Mapping | None:
        return self._zones.get(zone_id, {}).get(address)

    async def page(self, zone_id: str, offset: int, limit: int) -> Page:
        return self.page_now(zone_id, offset, limit)

    def page_now(self, zone_id: str, offset: int, limit: int) -> Page:
        zone = self._zones.get(zone_id, {})
        part = sorted(zone)[offset : offset + limit]
        return Page([zone[address] for address in part], len(zone), self.revision)

    async def count_places(self, zone_ids: Sequence[str]) -> list[Count]:
        return [
            Count(zone_id, place, origins)
            for zone_id in zone_ids
            for place, origins in sorted(
                Counter(m.place for m in self._zones.get(zone_id, {}).values()).items()
            )
        ]

    def refuse_writes(self, error: OriginmapError) -> None:
        self._refusal = error

    def write(
        self, zone_id: str, addresses: Sequence[Address], decide: Decide[T], cause: Cause
    ) -> asyncio.Future[Committed[T]]:
        self._check_open()
        done: asyncio.Future[Committed[T]] = asyncio.get_running_loop().create_future()
        try:
            done.set_result(self._write(zone_id, addresses, decide, cause))
        except Exception as error:
            done.set_exception(error)
        return done

    def _write(
        self, zone_id: str, addresses: Sequence[Address], decide: Decide[T], cause: Cause
    ) -> Committed[T]:
        zone = self._zones.get(zone_id)
        if zone is None:
            raise ZoneNotFound(zone_id)
        current = {address: zone[address] for address in addresses if address in zone}
        decision = decide(ZoneView(current, len(zone)))
        at, first = self._clock.stamp(), self.revision
        for change in decision.changes:
            self._write_mapping(at, cause, zone_id, change)
        self._committed()
        return Committed(at, first + bool(decision.changes), decision.outcome)

    async def write_records(
        self, decide: RecordDecide[T], cause: Cause, seen: int | None = None
    ) -> Committed[T]:
        self._check_open()
        check_seen(seen, self.revision)
        decision = decide(self._records.view)
        check_names(self._records.view, decision.changes)
        at, first = self._clock.stamp(), self.revision
        for change in decision.changes:
            self._write_record(at, cause, change)
        self._committed(decision.changes)
        return Committed(at, first + bool(decision.changes), decision.outcome)

    async def changes(self, since: int, limit: int, zone_id: str | None = None) -> list[Change]:
        later = self._history[max(since - self._oldest, 0) :]
        return [c for c in later if zone_id in (None, c.zone_id)][:limit]

    async def time_of(self, revision: int) -> int | None:
        if self._oldest < revision <= self.revision:
            return self._history[revision - self._oldest - 1].at
        return self._loaded_at if 0 < revision == self.revision else None

    async def changes_before(
        self,
        revision: int,
        limit: int,
        zone_id: str | None = None,
        address: Address | None = None,
    ) -> list[Change]:
        earlier = self._history[: max(revision - 1 - self._oldest, 0)][::-1]
        changes = [c for c in earlier if zone_id in (None, c.zone_id)]
        if address is not None:
            changes = [c for c in changes if getattr(c.what, "address", None) == address]
        return changes[:limit]

    async def last_record_change(self, key: Key) -> Change | None:
        for change in reversed(self._history):
            if isinstance(change.what, RecordChange) and change.what.key == key:
                return change
        return None

    async def forget(self, up_to: int, limit: int) -> int:
        until = min(up_to, self._oldest + limit, self.revision - 1)
        dropped = max(until - self._oldest, 0)
        self._history = self._history[dropped:]
        self._oldest += dropped
        return dropped

    async def snapshot(
        self, *, history: bool = False, selection: MappingSelection | None = None
    ) -> AsyncGenerator[Part, None]:
        at = await self.time_of(self.revision) or 0
        parts: list[Part] = [SnapshotStart(self._epoch, self.revision, at)]
        parts += [Record(key, value) for key, value in self._records.view.items()]
        for zone_id, zone in sorted(self._zones.items()):
            if zone:
                parts.append(ZoneMappings(zone_id, [zone[address] for address in sorted(zone)]))
        if history and self._history:
            parts.append(History(list(self._history)))
        for each in parts:
            part = selection.of(each) if selection else each
            if part is not None:
                yield part

    async def load(self, parts: AsyncIterator[Part]) -> None:
        fresh = MemoryStore()
        start: SnapshotStart | None = None
        async for part in parts:
            match part:
                case SnapshotStart():
                    start = part
                case Record(key, value):
                    fresh._records.apply([RecordChange(key, None, value)])
                    if key.kind is Kind.ZONE:
                        fresh._zones[key.id] = {}
                case ZoneMappings(zone_id, mappings):
                    fresh._zones[zone_id].update({m.address: m for m in mappings})
                case History(changes):
                    fresh._history += changes
        if start is None:
            raise BrokenFeed("the snapshot has no start")
        self._epoch, self._zones, self._history = start.epoch, fresh._zones, fresh._history
        self._oldest = start.revision - len(self._history)
        self._is_replica = True
        self._generation += 1
        self._clock, self._loaded_at = self._clock.after(start.at), start.at
        self._committed(replacing(self._records.view, fresh._records.view))

    async def apply(self, changes: Sequence[Change]) -> None:
        self._check_incoming(changes)
        for change in changes:
            if isinstance(change.what, RecordChange):
                self._write_record(change.at, change.cause, change.what)
                self._records.apply([change.what])
            else:
                self._write_mapping(change.at, change.cause, change.zone_id, change.what)
        if changes:
            self._is_replica = True
            self._clock = self._clock.after(changes[-1].at)
            self._committed()

    def _check_incoming(self, changes: Sequence[Change]) -> None:
        change_checks.check_order(changes, self.revision)
        change_checks.check_records(self._records.view, changes)
        stored = {
            (zone_id, address): mapping.place
            for zone_id, address in change_checks.changed_addresses(changes)
            if (mapping := self.get_now(zone_id, address)) is not None
        }
        change_checks.check_places(stored, changes)
        zones, sizes = set(self._zones), {id_: len(zone) for id_, zone in self._zones.items()}
        change_checks.check_zones(zones, sizes, changes)

    async def promote(self) -> None:
        self._epoch, self._is_replica = secrets.token_hex(8), False

    async def size(self) -> int:
        return 0

    def room(self) -> int | None:
        return None

    async def close(self) -> None:
        self._open = False

    def _check_open(self) -> None:
        if not self._open:
            raise StoreFailed("the store is closed")
        if self._refusal is not None:
            raise self._refusal.with_traceback(None)  # a traceback would grow with each raise

    def _committed(self, records: Sequence[RecordChange] = ()) -> None:
        self._writes += 1
        if records:
            self._records.apply(records)
        for listener in self._listeners:
            listener()

    def _write_mapping(self, at: int, cause: Cause, zone_id: str, change: MappingChange) -> None:
        zone = self._zones[zone_id]
        self._record(at, cause, zone_id, change)
        if change.after is None:
            del zone[change.address]
        else:
            zone[change.address] = Mapping(change.address, change.after, at, self.revision)

    def _write_record(self, at: int, cause: Cause, change: RecordChange) -> None:
        zone_id = change.key.id if change.key.kind is Kind.ZONE else ""
        if zone_id and change.before is None:
            self._zones[zone_id] = {}
        if zone_id and change.after is None:
            deleted = self._zones.pop(zone_id)
            for address in sorted(deleted):
                deletion = MappingChange(address, deleted[address].place, None)
                self._record(at, cause, zone_id, deletion)
        self._record(at, cause, zone_id, change)

    def _record(
        self, at: int, cause: Cause, zone_id: str, what: MappingChange | RecordChange
    ) -> None:
        self._history.append(Change(self.revision + 1, at, cause, zone_id, what))
