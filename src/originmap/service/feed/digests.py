"""Digests of the state, which replicas and edge nodes compare with their own.

A digest is computed from a full read, in portions between other work. One computation serves all
requests that arrive during it, and its result is cached for a while; a replica that is further
ahead undoes the changes since. One pass computes the digests of all views, because a digest is a
sum: an edge node's is the sum of its zones and of what all nodes may have.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from originmap.domain.errors import HistoryGone
from originmap.domain.history.edge_form import edge_record, sees_zone
from originmap.domain.history.snapshot import Part, Record, SnapshotStart, ZoneMappings, start_of
from originmap.domain.zone.zone import Zone
from originmap.feed.state_digest import StateDigest, Sums
from originmap.service.feed.view import View
from originmap.service.rollout.past_state import changes_up_to
from originmap.store.port import Store

_SECONDS = 60.0
"""Minimum time for which a digest is cached."""
_TIMES = 100
"""A digest is cached at least this many times as long as it took to compute, so that digests use at
most one per cent of a processor."""
_CHUNK = 250
"""Changes and parts between two yields to the event loop."""


async def digest_of(store: Store, revision: int | None = None) -> StateDigest | None:
    """Compute the digest of the state at `revision`, None for now.

    Returns None if the history does not go back that far, or if another database was loaded in the
    meantime.
    """
    sums = Sums()
    async with contextlib.aclosing(store.snapshot()) as parts:
        start = await start_of(parts)
        async for part in _in_turns(parts):
            sums.add(part)
    at = start.revision if revision is None else revision
    if at > start.revision:
        return None
    try:
        async for changes in changes_up_to(start, store, at, _CHUNK):
            for change in changes:
                sums.undo(change)
    except HistoryGone:
        return None
    return sums.digest(start.epoch, at)


class _Totals:
    """Sums of everything at one revision: of the whole, and of each zone for edge nodes."""

    def __init__(self, start: SnapshotStart, generation: int) -> None:
        self.epoch, self._revision = start.epoch, start.revision
        self.generation = generation
        self._whole, self._for_nodes = Sums(), Sums()
        self._zones: dict[str, tuple[Zone, Sums]] = {}
        self._of_views: dict[str, StateDigest] = {}  # by edge epoch, which differs by view

    def add(self, part: Part) -> None:
        """Add a part of the snapshot."""
        self._whole.add(part)
        if isinstance(part, ZoneMappings):
            self._zones[part.zone_id][1].add(part)
        elif isinstance(part, Record) and isinstance(part.value, Zone):
            sums = self._zones[part.key.id] = (part.value, Sums())
            sums[1].add(part)
        elif isinstance(part, Record) and (value := edge_record(part.value)) is not None:
            self._for_nodes.add(Record(part.key, value))

    def digest(self, view: View | None) -> StateDigest:
        """Return the digest of a view; None is a view of everything."""
        if view is None or not view.edge:
            return self._whole.digest(self.epoch, self._revision)
        epoch = view.epoch(self.epoch)
        if epoch not in self._of_views:
            of_zones = [s for z, s in self._zones.values() if sees_zone(view.grants, z.id, z)]
            total = Sums.total([self._for_nodes, *of_zones])
            self._of_views[epoch] = total.digest(epoch, self._revision)
        return self._of_views[epoch]


class Digests:
    """Computes the digests of a store, once for many requests."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: _Totals | None = None
        self._until = 0.0
        self._working: asyncio.Task[_Totals] | None = None

    async def recent(self, view: View | None = None) -> StateDigest:
        """Return the digest of `view`, None for everything, at a recent revision. Raises
        StoreError."""
        return (await self._recent()).digest(view)

    async def _recent(self) -> _Totals:
        last = self._last
        if last and last.generation == self._store.generation and time.monotonic() < self._until:
            return last
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return await asyncio.shield(self._working)

    async def _work(self) -> _Totals:
        began = time.monotonic()
        try:
            totals = await self._count()
        finally:
            self._working = None
        took = time.monotonic() - began
        self._last, self._until = totals, began + took + max(_SECONDS, _TIMES * took)
        return totals

    async def _count(self) -> _Totals:
        generation = self._store.generation
        async with contextlib.aclosing(self._store.snapshot()) as parts:
            totals = _Totals(await start_of(parts), generation)
            async for part in _in_turns(parts):
                totals.add(part)
        return totals


async def _in_turns(parts: AsyncIterator[Part]) -> AsyncIterator[Part]:
    """Yield the same parts, with yields to the event loop between them."""
    count = 0
    async for part in parts:
        yield part
        count += 1
        if count % _CHUNK == 0:
            await asyncio.sleep(0)
