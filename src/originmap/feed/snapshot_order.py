"""Rules for the parts of a snapshot: their order, no duplicates, and the limits of a primary.

A reader that checks them never stores an endless snapshot.
"""

from originmap.domain.errors import BrokenFeed
from originmap.domain.history.record import Key, Kind
from originmap.domain.history.snapshot import History, Part, Record, SnapshotStart, ZoneMappings
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import MAX_MAPPINGS


class SnapshotOrder:
    """Checks the parts of one snapshot as they arrive."""

    def __init__(self) -> None:
        self._start: SnapshotStart | None = None
        self._records: set[Key] = set()
        self._zone_id = ""
        self._zone_size = 0
        self._address = Address(b"")
        self._revision: int | None = None  # of the last change of the history

    def check(self, part: Part) -> None:
        """Raises BrokenFeed if `part` must not come next."""
        match part:
            case SnapshotStart():
                self._start = part
            case Record(key):
                self._check_record(key)
            case ZoneMappings():
                self._check_mappings(part)
            case History():
                self._check_history(part)

    def check_end(self) -> None:
        """Raises BrokenFeed if the snapshot is incomplete."""
        if self._start is None:
            raise BrokenFeed("the snapshot is empty")
        if self._revision not in (None, self._start.revision):
            raise BrokenFeed(f"the history of the snapshot ends at revision {self._revision}")

    def _check_record(self, key: Key) -> None:
        if self._zone_id or self._revision is not None:
            raise BrokenFeed(f"{key.kind.value} {key.id} comes after mappings in the snapshot")
        if key in self._records:
            raise BrokenFeed(f"{key.kind.value} {key.id} is in the snapshot twice")
        self._records.add(key)

    def _check_mappings(self, part: ZoneMappings) -> None:
        zone_id = part.zone_id
        if self._revision is not None:
            raise BrokenFeed("mappings come after the history of the snapshot")
        if zone_id != self._zone_id:
            if zone_id < self._zone_id:
                raise BrokenFeed(f"zone {zone_id} is out of order in the snapshot")
            if Key(Kind.ZONE, zone_id) not in self._records:
                raise BrokenFeed(f"mappings of a zone that is not in the snapshot: {zone_id}")
            self._zone_id, self._zone_size, self._address = zone_id, 0, Address(b"")
        self._zone_size += len(part.mappings)
        if self._zone_size > MAX_MAPPINGS:
            raise BrokenFeed(f"zone {zone_id} has more than {MAX_MAPPINGS} mappings")
        for mapping in part.mappings:
            if mapping.address <= self._address:
                raise BrokenFeed(f"addresses of zone {zone_id} are out of order in the snapshot")
            self._address = mapping.address

    def _check_history(self, part: History) -> None:
        assert self._start is not None
        for change in part.changes:
            if change.revision != (self._revision or change.revision - 1) + 1:
                raise BrokenFeed(f"change {change.revision} is out of order in the snapshot")
            if change.revision > self._start.revision:
                raise BrokenFeed(f"change {change.revision} is later than the snapshot")
            self._revision = change.revision
