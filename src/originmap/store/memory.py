"""The store that keeps nothing: plain dictionaries, for trying out and for tests.

The shortest form of the contract, and the one to read first.
"""

import secrets
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from originmap.domain.address import Address
from originmap.domain.change import Cause, Change, Committed
from originmap.domain.errors import StoreFailed, ZoneNotFound
from originmap.domain.mapping import Decide, Mapping, MappingChange, ZoneView
from originmap.domain.record import Key, Kind, RecordChange, RecordDecide
from originmap.domain.whatif import Count
from originmap.store.clock import ForwardClock, Now, wall_clock
from originmap.store.port import Page, RecordListener
from originmap.store.records import Records, check_names

T = TypeVar("T")


class MemoryStore:
    """As `store.port.Store`; gone with the process."""

    def __init__(self, now: Now = wall_clock) -> None:
        self._epoch = secrets.token_hex(8)
        self._clock = ForwardClock(now, 0)
        self._zones: dict[str, dict[Address, Mapping]] = {}
        self._records = Records()
        self._history: list[Change] = []
        self._open = True

    @property
    def epoch(self) -> str:
        """As `Store.epoch`."""
        return self._epoch

    @property
    def revision(self) -> int:
        """As `Store.revision`."""
        return len(self._history)

    @property
    def writable(self) -> bool:
        """As `Store.writable`."""
        return self._open

    def follow_records(self, listener: RecordListener) -> None:
        """As `Store.follow_records`."""
        self._records.follow(listener)

    async def get(self, zone_id: str, address: Address) -> Mapping | None:
        """As `Store.get`."""
        return self.get_now(zone_id, address)

    def get_now(self, zone_id: str, address: Address) -> Mapping | None:
        """As `Store.get_now`."""
        return self._zones.get(zone_id, {}).get(address)

    async def page(self, zone_id: str, offset: int, limit: int) -> Page:
        """As `Store.page`."""
        zone = self._zones.get(zone_id, {})
        part = sorted(zone)[offset : offset + limit]
        return Page([zone[address] for address in part], len(zone))

    async def count_places(self, zone_ids: Sequence[str]) -> list[Count]:
        """As `Store.count_places`."""
        return [
            Count(zone_id, place, origins)
            for zone_id in zone_ids
            for place, origins in sorted(
                Counter(m.place for m in self._zones.get(zone_id, {}).values()).items()
            )
        ]

    async def write(
        self, zone_id: str, addresses: Sequence[Address], decide: Decide[T], cause: Cause
    ) -> Committed[T]:
        """As `Store.write`."""
        self._check_open()
        zone = self._zones.get(zone_id)
        if zone is None:
            raise ZoneNotFound(zone_id)
        current = {address: zone[address] for address in addresses if address in zone}
        decision = decide(ZoneView(current, len(zone)))
        at, first = self._clock.stamp(), self.revision
        for change in decision.changes:
            self._record(at, cause, zone_id, change)
            if change.after is None:
                del zone[change.address]
            else:
                zone[change.address] = Mapping(change.address, change.after, at, self.revision)
        return Committed(at, first + bool(decision.changes), decision.outcome)

    async def write_records(self, decide: RecordDecide[T], cause: Cause) -> Committed[T]:
        """As `Store.write_records`."""
        self._check_open()
        decision = decide(self._records.view)
        check_names(self._records.view, decision.changes)
        at, first = self._clock.stamp(), self.revision
        for change in decision.changes:
            self._write_record(at, cause, change)
        self._records.apply(decision.changes)
        return Committed(at, first + bool(decision.changes), decision.outcome)

    async def changes(self, since: int, limit: int) -> list[Change]:
        """As `Store.changes`."""
        return self._history[since : since + limit]

    async def changes_before(self, revision: int, limit: int) -> list[Change]:
        """As `Store.changes_before`."""
        return self._history[: revision - 1][::-1][:limit]

    async def last_record_change(self, key: Key) -> Change | None:
        """As `Store.last_record_change`."""
        for change in reversed(self._history):
            if isinstance(change.what, RecordChange) and change.what.key == key:
                return change
        return None

    async def close(self) -> None:
        """As `Store.close`."""
        self._open = False

    def _check_open(self) -> None:
        if not self._open:
            raise StoreFailed("the store is closed")

    def _write_record(self, at: int, cause: Cause, change: RecordChange) -> None:
        zone_id = change.key.id if change.key.kind is Kind.ZONE else ""
        if zone_id and change.before is None:
            self._zones[zone_id] = {}
        if zone_id and change.after is None:
            gone = self._zones.pop(zone_id)
            for address in sorted(gone):
                leaves = MappingChange(address, gone[address].place, None)
                self._record(at, cause, zone_id, leaves)
        self._record(at, cause, zone_id, change)

    def _record(
        self, at: int, cause: Cause, zone_id: str, what: MappingChange | RecordChange
    ) -> None:
        self._history.append(Change(self.revision + 1, at, cause, zone_id, what))
