"""The vendors' published ranges: which addresses are whose, and in which region.

Owns the table that finds the longest published prefix around an address, and the rules that
make one of several lists: rows of one prefix are one range with several services, and no
address is in two vendors or two regions. Reading the vendors' files is left to
originmap.detect, what a find means for an origin to domain.detection.

The table is an array of intervals that do not overlap, cut at each beginning and end of a
prefix, so that a bisection finds the longest prefix at once:

    10.0.0.0/8   A  ├───────────────────────────────┤
    10.1.0.0/16  B          ├───────┤
    intervals    -  │   A   │   B   │       A       │  -

Neighbours that differ in nothing are one interval, for the prefix of an address follows from
its length.
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
    """A prefix and what its vendor says of it.

    `region` is None where the vendor names none: addresses of the whole network, or anycast.
    `border_group` is AWS's: the place from which the addresses are announced, which is a Local
    Zone's where it differs from the region.
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


def _described(found: Range) -> str:
    where = found.region or "no region"
    return f"{prefix.of(*found.prefix)} of {found.vendor} in {where}"


def merge(rows: Iterable[Range]) -> tuple[Range, ...]:
    """The rows of one vendor, sorted, those of one prefix as one with all their services.

    Raises RangeConflict when a prefix is in two regions or border groups.
    """
    found: dict[Prefix, Range] = {}
    services: dict[Prefix, set[str]] = {}
    for row in rows:
        first = found.setdefault(row.prefix, row)
        if (first.region, first.border_group) != (row.region, row.border_group):
            raise RangeConflict(first, row)
        services.setdefault(row.prefix, set()).update(row.services)
    return tuple(
        Range(key, row.vendor, row.region, tuple(sorted(services[key])), row.border_group)
        for key, row in sorted(found.items(), key=itemgetter(0))
    )


class Publication(NamedTuple):
    """What a vendor published: ranges sorted by prefix, no prefix twice, and when, in UTC."""

    vendor: str
    published: datetime.datetime
    ranges: tuple[Range, ...]

    @property
    def regions(self) -> frozenset[str]:
        """The regions that have a range."""
        return frozenset(found.region for found in self.ranges if found.region is not None)


class Listing(NamedTuple):
    """What is published of an address: that of the longest prefix around it, which has `length`."""

    vendor: str
    region: str | None
    services: tuple[str, ...]
    border_group: str | None
    length: int


class RangeTable:
    """All vendors' ranges, immutable. To change it, make another and keep that instead."""

    __slots__ = ("_covered", "_listings", "_published", "_starts")

    def __init__(self, publications: Iterable[Publication] = ()) -> None:
        """Raises RangeConflict when two vendors have an address, or two regions of one."""
        lists = tuple(publications)
        self._published = {each.vendor: each.published for each in lists}
        ranges = [found for each in lists for found in each.ranges]
        ranges.sort(key=attrgetter("prefix"))
        self._covered = {(each.vendor, each.region, each.prefix.start[0]) for each in ranges}
        # The first interval begins before every address, so that each is in one.
        self._starts = [b""]
        self._listings: list[Listing | None] = [None]
        for start, listing in _intervals(ranges):
            self._starts.append(start.to_bytes(5 if start <= _LAST_V4 else 17))
            self._listings.append(listing)

    def find(self, address: Address) -> Listing | None:
        """What is published of an address; None where it is in no list."""
        return self._listings[bisect_right(self._starts, address) - 1]

    def published(self, vendor: str) -> datetime.datetime | None:
        """When the data of a vendor was published; None without data."""
        return self._published.get(vendor)

    @property
    def vendors(self) -> tuple[str, ...]:
        """The vendors there is data of, sorted."""
        return tuple(sorted(self._published))

    def covers(self, vendor: str, region: str, family: int) -> bool:
        """Whether there is any range of a region in the family 4 or 6: where not, that an
        address is in no list says nothing."""
        return (vendor, region, family) in self._covered

    def __len__(self) -> int:
        """How many intervals there are."""
        return len(self._starts)


_LAST_V4 = 5 << 32
"""The number behind 255.255.255.255."""


def _intervals(ranges: Iterable[Range]) -> Iterator[tuple[int, Listing | None]]:
    """Where each interval starts and what is published of it, in order; `ranges` are sorted."""
    pending: tuple[int, Listing | None] = (0, None)
    last: Listing | None = None
    for start, listing in _boundaries(ranges):
        if start > pending[0]:
            if pending[1] is not last:
                yield pending
            last = pending[1]
        pending = (start, listing)
    if pending[1] is not last:
        yield pending


def _boundaries(ranges: Iterable[Range]) -> Iterator[tuple[int, Listing | None]]:
    """Where a range begins or ends, and what holds from there; of several at one place the last
    counts."""
    same: dict[Listing, Listing] = {}
    around: list[tuple[int, Listing | None, Range | None]] = [(1 << 136, None, None)]
    for found in ranges:
        start = prefix.number(found.prefix.start)
        while around[-1][0] <= start:
            end, _, _ = around.pop()
            yield end, around[-1][1]
        if (outer := around[-1][2]) is not None and _contradicts(outer, found):
            raise RangeConflict(outer, found)
        made = Listing(
            found.vendor, found.region, found.services, found.border_group, found.prefix.length
        )
        listing = same.setdefault(made, made)
        around.append((prefix.after(found.prefix), listing, found))
        yield start, listing
    while len(around) > 1:
        end, _, _ = around.pop()
        yield end, around[-1][1]


def _contradicts(outer: Range, inner: Range) -> bool:
    """Whether a range inside another cannot be true with it. One of a region inside one without
    is the rule with AWS, whose global addresses surround some of its regions'."""
    if outer.vendor != inner.vendor or outer.prefix == inner.prefix:
        return True
    return None not in (outer.region, inner.region) and outer.region != inner.region
