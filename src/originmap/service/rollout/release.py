"""The state of one revision: zones, topology, latencies, own regions, rollout and mappings, from a
snapshot."""

import contextlib
from collections.abc import AsyncGenerator
from typing import NamedTuple

from originmap.domain.history.record import Value
from originmap.domain.history.snapshot import Part, Record, SnapshotStart, start_of
from originmap.domain.mapping.own_regions import OwnRegions
from originmap.domain.rollout.rollout import Rollout
from originmap.domain.tier.latency import Latencies
from originmap.domain.tier.topology import Topology
from originmap.domain.zone.zone import Zone


class Release(NamedTuple):
    """One revision. `mappings` can be read once, zone by zone in the order of zone IDs. `past` says
    that later changes were undone."""

    start: SnapshotStart
    records: tuple[Value, ...]
    mappings: AsyncGenerator[Part, None]
    past: bool = False

    @property
    def epoch(self) -> str:
        """The epoch of the database."""
        return self.start.epoch

    @property
    def revision(self) -> int:
        """The revision."""
        return self.start.revision

    @property
    def zones(self) -> list[Zone]:
        """Every zone."""
        return [value for value in self.records if isinstance(value, Zone)]

    @property
    def topology(self) -> Topology | None:
        """The operator's topology, None if it was never set."""
        return next((value for value in self.records if isinstance(value, Topology)), None)

    @property
    def rollout(self) -> Rollout | None:
        """The last rollout, None if there was none."""
        return next((value for value in self.records if isinstance(value, Rollout)), None)

    @property
    def latencies(self) -> Latencies:
        """The latency measurements."""
        latencies = (value for value in self.records if isinstance(value, Latencies))
        return next(latencies, Latencies())

    @property
    def own_regions(self) -> OwnRegions:
        """The operator's own regions."""
        own = (value for value in self.records if isinstance(value, OwnRegions))
        return next(own, OwnRegions())


async def read_release(parts: AsyncGenerator[Part, None]) -> Release:
    """Read a snapshot up to its mappings. Close `parts` after reading the mappings."""
    start = await start_of(parts)
    records: list[Value] = []
    first: Part | None = None
    async for part in parts:
        if not isinstance(part, Record):
            first = part
            break
        records.append(part.value)
    return Release(start, tuple(records), _rest(first, parts))


async def _rest(
    first: Part | None, parts: AsyncGenerator[Part, None]
) -> AsyncGenerator[Part, None]:
    """Yield the part that was read ahead, then the rest."""
    async with contextlib.aclosing(parts):
        if first is not None:
            yield first
        async for part in parts:
            yield part
