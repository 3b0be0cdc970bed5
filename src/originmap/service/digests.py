"""The digest of the whole state, for replicas that compare theirs with it.

It is worked out by reading everything, in portions beside whatever else goes on. That is done when
somebody asks, for all who ask meanwhile, and the outcome is good for a while: a replica that is
further undoes what came since.
"""

import asyncio
import contextlib
import time

from originmap.domain.snapshot import Start
from originmap.feed.state_digest import StateDigest, Sums
from originmap.store.port import Store

_SECONDS = 60.0
"""How long a digest is good for, at least."""
_TIMES = 100
"""And at least so many times as long as it took: it takes a hundredth of a processor at most."""
_CHUNK = 250
"""Changes and parts between two chances for others."""


async def digest_of(store: Store, revision: int | None = None) -> StateDigest | None:
    """The digest of what `store` had at `revision`, without one of what it has now. None where the
    history does not tell: it is shorter, or another database was loaded meanwhile."""
    sums = Sums()
    parts = store.snapshot()
    async with contextlib.aclosing(parts):  # type: ignore[type-var]  # it is a generator
        start = await anext(parts)
        assert isinstance(start, Start)
        count = 0
        async for part in parts:
            sums.add(part)
            count += 1
            if count % _CHUNK == 0:
                await asyncio.sleep(0)
    at = start.revision if revision is None else revision
    if at > start.revision or not await _undo(store, start, at, sums):
        return None
    return sums.digest(start.epoch, at)


async def _undo(store: Store, start: Start, since: int, sums: Sums) -> bool:
    """Undo the changes from after `since` up to a snapshot's start; whether all are there."""
    while since < start.revision:
        found = await store.changes(since, min(_CHUNK, start.revision - since))
        # Asked afterwards: meanwhile some were forgotten, or another database was loaded.
        if store.epoch != start.epoch or not found or found[0].revision != since + 1:
            return False
        for change in found:
            sums.undo(change)
        since = found[-1].revision
        await asyncio.sleep(0)
    return True


class Digests:
    """Gives the digest of a store, worked out once for many."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: StateDigest | None = None
        self._until = 0.0
        self._working: asyncio.Task[StateDigest] | None = None

    async def recent(self) -> StateDigest:
        """The digest of a revision reached not long ago. Raises StoreError."""
        last = self._last
        if last and last.epoch == self._store.epoch and time.monotonic() < self._until:
            return last
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return await asyncio.shield(self._working)

    async def _work(self) -> StateDigest:
        began = time.monotonic()
        try:
            found = await digest_of(self._store)
        finally:
            self._working = None
        assert found is not None
        took = time.monotonic() - began
        self._last, self._until = found, began + took + max(_SECONDS, _TIMES * took)
        return found
