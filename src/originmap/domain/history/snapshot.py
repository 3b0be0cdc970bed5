"""A snapshot: everything there is at one revision, in parts that can be passed on one by one.

First a `SnapshotStart`, then every record, then the mappings, zone by zone in the order of their
ids, and last, if it was requested, the history. A reader must keep nothing of a snapshot unless all
of it arrived.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NamedTuple

from originmap.domain.history.change import Change
from originmap.domain.history.record import Key, Value
from originmap.domain.mapping.mapping import Mapping
from originmap.domain.tier.latency import Latencies
from originmap.domain.tier.topology import Topology

WHOLE, EDGE, READABLE = "whole", "edge", "readable"
"""Everything; what an edge node may have; what one credential may read."""


class SnapshotStart(NamedTuple):
    """Whose snapshot this is, as of which revision, and when that was committed. `form` says
    what of the database is in it: WHOLE, EDGE, or READABLE."""

    epoch: str
    revision: int
    at: int  # microseconds since 1970 UTC; 0 before the first change
    form: str = WHOLE


class Record(NamedTuple):
    """One record."""

    key: Key
    value: Value


class ZoneMappings(NamedTuple):
    """Mappings of one zone in the order of their addresses: a part of them, or all."""

    zone_id: str
    mappings: list[Mapping]


@dataclass(frozen=True, slots=True)
class History:
    """Changes in the order of their revisions, without a gap; the last one is the revision of
    the snapshot."""

    changes: list[Change]


Part = SnapshotStart | Record | ZoneMappings | History


async def start_of(parts: AsyncIterator[Part]) -> SnapshotStart:
    """The first part of a snapshot, read from it."""
    start = await anext(parts)
    assert isinstance(start, SnapshotStart)
    return start


def size(part: Part) -> int:
    """How much work a part is: the mappings, changes, colos or measurements in it."""
    match part:
        case ZoneMappings(_, mappings):
            return len(mappings)
        case History(changes=changes):
            return len(changes)
        case Record(_, Latencies(measurements=measurements)):
            return len(measurements)
        case Record(_, Topology(colos=colos)):
            return len(colos)
    return 1
