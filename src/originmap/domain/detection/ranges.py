"""The vendors' published IP ranges: the vendor and region of an address.

Owns the table that finds the longest published prefix of an address, and the rules for merging
lists: rows with one prefix become one range with several services, and no address belongs to two
vendors or two regions. `originmap.detect` reads the vendors' files; `domain.detection.detection`
interprets the results.

The table is an array of intervals that do not overlap, cut at the start and end of each prefix, so
that one bisection finds the longest prefix:

    10.0.0.0/8   A  ├───────────────────────────────┤
    10.1.0.0/16  B          ├───────┤
    intervals    -  │   A   │   B   │       A       │  -

Equal neighbours are merged into one interval, because the prefix of an address follows from its
length.
"""

import datetime
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from operator import attrgetter, itemgetter
from typing import NamedTuple

from originmap.domain.detection import prefix
from originmap.domain.detection.prefix import Prefix
from originmap.domain.mapping.address import Address


class Range(NamedTuple):
    """A prefix with its vendor's data.

    `region` is None if the vendor names none: addresses of the whole network, or anycast.
    `border_group` is AWS's network border group, from which the addresses are announced. If it
    differs from the region, it is a Local Zone's.
    """

    prefix: Prefix
    vendor: str
    region: str | None
    services: tuple[str, ...]
    border_group: str | None = None


class RangeConflict(ValueError):
    """Two ranges that cannot both be true."""

    def __init__(self, first: Range, second: Range) -> None:
        super().__init__(f"{_described(second)} contradicts {_described(first)}")
        self.first = first
        self.second = second


def _described(published: Range) -> str:
    region = published.region or "no region"
    return f"{prefix.of(*published.prefix)} of {published.vendor} in {region}"


def merge(rows: Iterable[Range]) -> tuple[Range, ...]:
    """The rows of one vendor, sorted; rows with one prefix become one with all their services.

    Raises RangeConflict if a prefix has two regions or border groups.
    """
    merged: dict[Prefix, Range] = {}
    services: dict[Prefix, set[str]] = {}
    for row in rows:
        first = merged.setdefault(row.prefix, row)
        if (first.region, first.border_group) != (row.region, row.border_group):
            raise RangeConflict(first, row)
        services.setdefault(row.prefix, set()).update(row.services)
    return tuple(
        Range(key, row.vendor, row.region, tuple(sorted(services[key])), row.border_group)
        for key, row in sorted(merged.items(), key=itemgetter(0))
    )


class Publication(NamedTuple):
    """A vendor's published ranges, sorted by prefix, each prefix once, and the time in UTC. They
    are `nested` if a prefix inside another can have another region, as in a geofeed."""

    vendor: str
    published: datetime.datetime
    ranges: tuple[Range, ...]
    nested: bool = False

    @property
    def regions(self) -> frozenset[str]:
        """The regions that have a range."""
        return frozenset(each.region for each in self.ranges if each.region is not None)


class Listing(NamedTuple):
    """A vendor's data about an address, from its longest prefix, which has this `length`."""

    vendor: str
    region: str | None
    services: tuple[str, ...]
    border_group: str | None
    length: int


class RangeTable:
    """All vendors' ranges. The table is immutable: to update it, build a new one."""

    __slots__ = ("_covered", "_listings", "_published", "_starts")

    def __init__(self, publications: Iterable[Publication] = ()) -> None:
        """Raises RangeConflict if an address belongs to two vendors, or to two regions of one."""
        lists = tuple(publications)
        self._published = {each.vendor: each.published for each in lists}
        ranges = [each for publication in lists for each in publication.ranges]
        ranges.sort(key=attrgetter("prefix"))
        self._covered = {(each.vendor, each.region, each.prefix.start[0]) for each in ranges}
        # The first interval starts before every address, so that each address is in an interval.
        self._starts = [b""]
        self._listings: list[Listing | None] = [None]
        nested = frozenset(each.vendor for each in lists if each.nested)
        for start, listing in _intervals(ranges, nested):
            self._starts.append(start.to_bytes(5 if start <= _LAST_V4 else 17))
            self._listings.append(listing)

    def find(self, address: Address) -> Listing | None:
        """The data about an address; None if it is in no list."""
        return self._listings[bisect_right(self._starts, address) - 1]

    def published(self, vendor: str) -> datetime.datetime | None:
        """The time when a vendor published its data; None without data."""
        return self._published.get(vendor)

    @property
    def vendors(self) -> tuple[str, ...]:
        """The vendors with data, sorted."""
        return tuple(sorted(self._published))

    def covers(self, vendor: str, region: str, family: int) -> bool:
        """Whether a region has any range in the family 4 or 6. If not, an unlisted address says
        nothing about the region."""
        return (vendor, region, family) in self._covered

    def __len__(self) -> int:
        """The number of intervals."""
        return len(self._starts)


_LAST_V4 = 5 << 32
"""The number after 255.255.255.255."""


def _intervals(
    ranges: Iterable[Range], nested: frozenset[str]
) -> Iterator[tuple[int, Listing | None]]:
    """The start and the data of each interval, in order; `ranges` are sorted."""
    pending: tuple[int, Listing | None] = (0, None)
    last: Listing | None = None
    for start, listing in _boundaries(ranges, nested):
        if start > pending[0]:
            if pending[1] is not last:
                yield pending
            last = pending[1]
        pending = (start, listing)
    if pending[1] is not last:
        yield pending


def _boundaries(
    ranges: Iterable[Range], nested: frozenset[str]
) -> Iterator[tuple[int, Listing | None]]:
    """Each start or end of a range with the data from there on; at one position the last one
    counts."""
    same: dict[Listing, Listing] = {}
    around: list[tuple[int, Listing | None, Range | None]] = [(1 << 136, None, None)]
    for inner in ranges:
        start = prefix.number(inner.prefix.start)
        while around[-1][0] <= start:
            end, _, _ = around.pop()
            yield end, around[-1][1]
        if (outer := around[-1][2]) is not None and _contradicts(outer, inner, nested):
            raise RangeConflict(outer, inner)
        new = Listing(
            inner.vendor, inner.region, inner.services, inner.border_group, inner.prefix.length
        )
        listing = same.setdefault(new, new)
        around.append((prefix.after(inner.prefix), listing, inner))
        yield start, listing
    while len(around) > 1:
        end, _, _ = around.pop()
        yield end, around[-1][1]


def _contradicts(outer: Range, inner: Range, nested: frozenset[str]) -> bool:
    """Whether a range inside another contradicts it. A range with a region inside one without is
    no contradiction: AWS's global ranges contain ranges of some regions."""
    if outer.vendor != inner.vendor or outer.prefix == inner.prefix:
        return True
    if outer.vendor in nested:
        return False
    return None not in (outer.region, inner.region) and outer.region != inner.region
