"""A snapshot: the whole database at one revision, as a stream of parts.

First a `SnapshotStart`, then every record, then the mappings, zone by zone in the order of their
ids, and last, if requested, the history. A reader must discard a snapshot that is incomplete.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple

from originmap.domain.history.change import Change
from originmap.domain.history.record import Key, Value
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping
from originmap.domain.mapping.own_regions import OwnRegions
from originmap.domain.tier.latency import Latencies
from originmap.domain.tier.topology import Topology

WHOLE, EDGE, READABLE = "whole", "edge", "readable"
"""The whole database; its edge form; the part that one credential can read."""


class SnapshotStart(NamedTuple):
    """The epoch of the database, the revision of the snapshot, and the time of that revision.
    `form` is WHOLE, EDGE or READABLE."""

    epoch: str
    revision: int
    at: int  # microseconds since 1970 UTC; 0 before the first change
    form: str = WHOLE


class Record(NamedTuple):
    """One record."""

    key: Key
    value: Value


class ZoneMappings(NamedTuple):
    """Some or all mappings of one zone, in the order of their addresses."""

    zone_id: str
    mappings: list[Mapping]


class History(NamedTuple):
    """Changes in the order of their revisions, without a gap; the last one is the revision of
    the snapshot."""

    changes: list[Change]


Part = SnapshotStart | Record | ZoneMappings | History


class MappingSelection(NamedTuple):
    """Some mappings: those of these zones, and in every other zone those of these addresses."""

    zones: frozenset[str]
    addresses: frozenset[Address] = frozenset()

    def of(self, part: Part) -> Part | None:
        """The part with the selected mappings only; None if it has none of them."""
        if not isinstance(part, ZoneMappings) or part.zone_id in self.zones:
            return part
        mappings = [mapping for mapping in part.mappings if mapping.address in self.addresses]
        return ZoneMappings(part.zone_id, mappings) if mappings else None


async def start_of(parts: AsyncIterator[Part]) -> SnapshotStart:
    """Read the first part of a snapshot."""
    start = await anext(parts)
    assert isinstance(start, SnapshotStart)
    return start


def size(part: Part) -> int:
    """The number of mappings, changes, colos, regions or measurements in a part: a measure of
    work."""
    match part:
        case ZoneMappings(_, mappings):
            return len(mappings)
        case History(changes=changes):
            return len(changes)
        case Record(_, Latencies(measurements=measurements)):
            return len(measurements)
        case Record(_, Topology(colos=colos)):
            return len(colos)
        case Record(_, OwnRegions(regions=regions)):
            return len(regions)
    return 1
