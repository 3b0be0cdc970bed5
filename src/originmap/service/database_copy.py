"""Copying one database into another, with verification.

A tally of everything sent is compared with the content of the target. During that time the target
is still a replica, so that nothing else writes to it.
"""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from originmap.domain.errors import StoreFailed, StoreUnusable
from originmap.domain.history.snapshot import History, Part, Record, ZoneMappings
from originmap.store.port import Store

Step = Callable[[int], None]
"""Called with the number of items that were copied since the last call."""


@dataclass
class Tally:
    """Counts of a database's content, and a checksum over its mappings.

    The checksums of zones are combined in the order of zone IDs: stores return zones in different
    orders.
    """

    records: int = 0
    mappings: int = 0
    changes: int = 0
    _zones: dict[str, "hashlib._Hash"] = field(default_factory=dict)

    def add(self, part: Part) -> int:
        """Count a part and return its number of items."""
        if isinstance(part, Record):
            self.records += 1
            return 1
        if isinstance(part, ZoneMappings):
            self.mappings += len(part.mappings)
            zone = self._zones.setdefault(part.zone_id, hashlib.sha256())
            zone.update(repr(part.mappings).encode())
            return len(part.mappings)
        if isinstance(part, History):
            self.changes += len(part.changes)
            return len(part.changes)
        return 0

    @property
    def checksum(self) -> str:
        """The checksum over every mapping with its zone, region, time and revision."""
        total = hashlib.sha256()
        for zone_id, zone in sorted(self._zones.items()):
            total.update(zone_id.encode() + zone.digest())
        return total.hexdigest()[:16]

    def __str__(self) -> str:
        return (
            f"{self.records:,} records, {self.mappings:,} mappings (checksum {self.checksum}), "
            f"{self.changes:,} changes of the history"
        )


async def copy(
    source: Store, target: Store, target_name: str, step: Step, *, replace: bool
) -> Tally:
    """Copy everything in `source`, its history included, into `target`.

    Raises StoreUnusable if `target` is not empty and `replace` is False, and StoreFailed if the
    databases differ afterwards: then `target` stays a replica.
    """
    if target.revision and not replace:
        hint = "copy to a new database, or add --replace to delete its content"
        raise StoreUnusable(target_name, "it is not empty", hint)
    sent, received = Tally(), Tally()
    await target.load(_counted(source.snapshot(history=True), sent, step))
    async for part in target.snapshot(history=True):
        step(received.add(part))
    if str(sent) != str(received):
        raise StoreFailed(f"the copy differs: sent {sent}; received {received}")
    await target.promote()
    return received


async def _counted(parts: AsyncIterator[Part], tally: Tally, step: Step) -> AsyncIterator[Part]:
    async for part in parts:
        step(tally.add(part))
        yield part
