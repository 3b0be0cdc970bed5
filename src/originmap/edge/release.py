"""Which state of the replica this node serves.

The only place that decides it: whatever is rendered is rendered from what `released` gives, zones,
topology and mappings all of one revision. That is the newest one, or while changes are released in
waves, the one that the rollout allows this node (docs/rollout.md).
"""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from originmap.domain.latency import Latencies
from originmap.domain.record import Value
from originmap.domain.rollout import Rollout, allowed
from originmap.domain.snapshot import Part, Record, Start
from originmap.domain.topology import Topology
from originmap.domain.zone import Zone
from originmap.edge.errors import NothingToServe
from originmap.service.released import released_snapshot
from originmap.store.port import Store


@dataclass(frozen=True, slots=True)
class Release:
    """One revision. `mappings` can be read once, zone by zone in the order of their ids."""

    epoch: str
    revision: int
    records: tuple[Value, ...]
    mappings: AsyncGenerator[Part, None]

    @property
    def zones(self) -> list[Zone]:
        """Every zone."""
        return [value for value in self.records if isinstance(value, Zone)]

    @property
    def topology(self) -> Topology | None:
        """The operator's topology, if there is one."""
        return next((value for value in self.records if isinstance(value, Topology)), None)

    @property
    def rollout(self) -> Rollout | None:
        """The last rollout, if there was one."""
        return next((value for value in self.records if isinstance(value, Rollout)), None)

    @property
    def latencies(self) -> Latencies:
        """What was measured."""
        found = (value for value in self.records if isinstance(value, Latencies))
        return next(found, Latencies())


@contextlib.asynccontextmanager
async def released(store: Store, name: str, colo: str | None) -> AsyncIterator[Release]:
    """What the node of this name may serve. Raises NothingToServe before the first copy, and
    HistoryGone where what it may serve cannot be shown any more."""
    if not store.is_replica:
        raise NothingToServe
    # The rollout of this very snapshot decides: one that was looked at before it may be older.
    async with _opened(store.snapshot()) as newest:
        at = allowed(newest.rollout, name, colo or "")
        if at is None or at >= newest.revision:
            yield newest
            return
    async with _opened(released_snapshot(store, at)) as earlier:
        yield earlier


@contextlib.asynccontextmanager
async def _opened(parts: AsyncIterator[Part]) -> AsyncIterator[Release]:
    assert isinstance(parts, AsyncGenerator)
    async with contextlib.aclosing(parts):
        start = await anext(parts)
        assert isinstance(start, Start)
        records: list[Value] = []
        first: Part | None = None
        async for part in parts:
            if not isinstance(part, Record):
                first = part
                break
            records.append(part.value)
        async with contextlib.aclosing(_again(first, parts)) as mappings:
            yield Release(start.epoch, start.revision, tuple(records), mappings)


async def _again(
    first: Part | None, parts: AsyncGenerator[Part, None]
) -> AsyncGenerator[Part, None]:
    """What was read too far, and the rest."""
    if first is not None:
        yield first
    async for part in parts:
        yield part
