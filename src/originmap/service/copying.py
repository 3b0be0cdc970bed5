"""Copying one database into another, and proof that both are the same.

A tally of everything that passed on the way is compared with what the target then holds, while
the target is still a replica that nobody writes to.
"""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from originmap.domain.errors import StoreFailed, StoreUnusable
from originmap.domain.history.snapshot import History, Part, Record, ZoneMappings
from originmap.store.port import Store

Step = Callable[[int], None]
"""Is told how many more items have passed."""


@dataclass
class Tally:
    """How much there is in a database, and a checksum over its mappings.

    The zones' own checksums are put in the order of the zones' ids at the end: stores give their
    zones in different orders.
    """

    records: int = 0
    mappings: int = 0
    changes: int = 0
    _zones: dict[str, "hashlib._Hash"] = field(default_factory=dict)

    def add(self, part: Part) -> int:
        """Count a part in; how many items it has."""
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
        """Over every mapping with its zone, place, time and revision."""
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
    """Make `target` a database with everything that `source` holds now, its history included.

    Raises StoreUnusable when there is something in `target` and it is not to be replaced,
    StoreFailed when the two differ in the end: then `target` stays a replica.
    """
    if target.revision and not replace:
        hint = "copy to a new one, or add --replace to lose what is in it"
        raise StoreUnusable(target_name, "it is not empty", hint)
    sent, arrived = Tally(), Tally()
    await target.load(_counted(source.snapshot(history=True), sent, step))
    async for part in target.snapshot(history=True):
        step(arrived.add(part))
    if str(sent) != str(arrived):
        raise StoreFailed(f"the copy differs: {sent} were sent, {arrived} arrived")
    await target.promote()
    return arrived


async def _counted(parts: AsyncIterator[Part], tally: Tally, step: Step) -> AsyncIterator[Part]:
    async for part in parts:
        step(tally.add(part))
        yield part
