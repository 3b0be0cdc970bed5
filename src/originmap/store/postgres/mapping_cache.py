"""A node's cache of the mappings in a PostgreSQL database, as of one revision.

Every change moves the counter, so cached rows are valid as long as the counter has not moved. A
group that needs only cached rows is written without a read: the write takes effect only if the
counter is still the same. See docs/decisions/0008.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping, ZoneView
from originmap.store.postgres.history import place_of

MAX_ADDRESSES = 20_000
"""Maximum of cached addresses, about ten MiB. Beyond it, the cache is cleared."""

CacheKey = tuple[str, Address | None]
"""A zone and an address in it; None to check only that the zone exists."""


class Counter(NamedTuple):
    """The counter of a database: its epoch, last revision, and the time of that revision."""

    epoch: str
    revision: int
    at: int


_NOWHERE = Counter("", -1, 0)


class MappingCache:
    """Zones with their numbers of mappings, and mappings, as of `counter`. Missing zones and
    mappings are cached too."""

    def __init__(self) -> None:
        self.counter = _NOWHERE
        self._counts: dict[str, int | None] = {}
        self._mappings: dict[CacheKey, Mapping | None] = {}

    def forget(self) -> None:
        """Clear the cache."""
        self.counter = _NOWHERE
        self._counts.clear()
        self._mappings.clear()

    def missing(self, keys: Iterable[CacheKey]) -> list[CacheKey]:
        """Return the keys that are not cached."""
        return [key for key in keys if key not in self._mappings]

    def learn(
        self, counter: Counter, keys: Sequence[CacheKey], rows: Iterable[Sequence[Any]]
    ) -> None:
        """Cache the rows that were read for `keys` at `counter`, and drop older rows.

        A row has the ID and number of mappings of a zone, with None in between, or the zone,
        address, region, time and revision of a mapping, followed by None.
        """
        if counter != self.counter or len(self._mappings) + len(keys) > MAX_ADDRESSES:
            self.forget()
        self.counter = counter
        self._counts.update(dict.fromkeys([zone_id for zone_id, _ in keys]))
        self._mappings.update(dict.fromkeys(keys))
        for zone_id, address, place, modified_on, revision, count in rows:
            if address is None:
                self._counts[zone_id] = count
            else:
                mapping = Mapping(Address(address), place_of(place), modified_on, revision)
                self._mappings[zone_id, mapping.address] = mapping

    def view(self, zone_id: str, addresses: Iterable[Address]) -> ZoneView | None:
        """Return what a rule sees of a zone; None if the zone does not exist."""
        count = self._counts[zone_id]
        if count is None:
            return None
        mappings = {a: self._mappings[zone_id, a] for a in addresses}
        return ZoneView({a: m for a, m in mappings.items() if m is not None}, count)

    def count(self, zone_id: str) -> int:
        """Return the number of mappings of a zone; 0 if it does not exist."""
        return self._counts.get(zone_id) or 0

    def put(self, zone_id: str, address: Address, mapping: Mapping | None, count: int) -> None:
        """Set the mapping of one address, None to delete it, and the number of mappings of its
        zone."""
        self._mappings[zone_id, address] = mapping
        self._counts[zone_id] = count
