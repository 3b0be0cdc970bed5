"""Which state of the replica this node serves.

The only place that decides it: whatever is rendered is rendered from what `released` gives, zones,
topology and mappings all of one revision. That is the newest one, or while changes are released in
waves, the one that the rollout allows this node (docs/rollout.md).
"""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

from originmap.domain.history.snapshot import Part
from originmap.domain.rollout.rollout import allowed
from originmap.edge.errors import NothingToServe
from originmap.service.rollout.past_state import released_snapshot
from originmap.service.rollout.release import Release, read_release
from originmap.store.port import Store


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
async def _opened(parts: AsyncGenerator[Part, None]) -> AsyncIterator[Release]:
    async with contextlib.aclosing(parts):
        release = await read_release(parts)
        async with contextlib.aclosing(release.mappings):
            yield release
