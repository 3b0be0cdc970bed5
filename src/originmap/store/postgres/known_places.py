"""What a node knows of the mappings in a PostgreSQL database, as of one revision.

Nothing changes without the counter, so what was read or written stays true for as long as the
counter stands where it stood then. A group that asks about nothing else need not read first: what
it writes is written only where the counter still stands there. docs/decisions/0008 says more.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping, ZoneView
from originmap.store.postgres.history import place_of

MOST_ADDRESSES = 20_000
"""Addresses that are remembered, in some ten MiB. When there are more, all are forgotten."""

Asked = tuple[str, Address | None]
"""A zone, and an address of it; None where nothing is asked but whether the zone is there."""


class Counter(NamedTuple):
    """Where a database stands: its epoch, its last revision, and the time of that."""

    epoch: str
    revision: int
    at: int


_NOWHERE = Counter("", -1, 0)


class Known:
    """Zones, each with how many mappings it has, and mappings, as of `counter`. Those that are not
    there are known too."""

    def __init__(self) -> None:
        self.counter = _NOWHERE
        self._counts: dict[str, int | None] = {}
        self._mappings: dict[Asked, Mapping | None] = {}

    def forget(self) -> None:
        """Know nothing."""
        self.counter = _NOWHERE
        self._counts.clear()
        self._mappings.clear()

    def missing(self, asked: Iterable[Asked]) -> list[Asked]:
        """What is not known of all that is asked about."""
        return [key for key in asked if key not in self._mappings]

    def learn(
        self, counter: Counter, asked: Sequence[Asked], rows: Iterable[Sequence[Any]]
    ) -> None:
        """Take over all that was read about `asked` when the counter stood at `counter`, and
        forget what is of another time. A row: id and number of mappings of a zone and Nones, or
        the zone, address, place, time and revision of a mapping and None."""
        if counter != self.counter or len(self._mappings) + len(asked) > MOST_ADDRESSES:
            self.forget()
        self.counter = counter
        self._counts.update(dict.fromkeys([zone_id for zone_id, _ in asked]))
        self._mappings.update(dict.fromkeys(asked))
        for zone_id, address, place, modified_on, revision, count in rows:
            if address is None:
                self._counts[zone_id] = count
            else:
                mapping = Mapping(Address(address), place_of(place), modified_on, revision)
                self._mappings[zone_id, mapping.address] = mapping

    def view(self, zone_id: str, addresses: Iterable[Address]) -> ZoneView | None:
        """What a rule sees of a zone; None where there is no such zone."""
        count = self._counts[zone_id]
        if count is None:
            return None
        found = {a: self._mappings[zone_id, a] for a in addresses}
        return ZoneView({a: m for a, m in found.items() if m is not None}, count)

    def count(self, zone_id: str) -> int:
        """How many mappings a zone has; 0 where there is no such zone."""
        return self._counts.get(zone_id) or 0

    def put(self, zone_id: str, address: Address, mapping: Mapping | None, count: int) -> None:
        """Have the mapping of one address, or none, and `count` mappings in its zone."""
        self._mappings[zone_id, address] = mapping
        self._counts[zone_id] = count
