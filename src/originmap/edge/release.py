"""Selects the revision of the replica that this node serves.

Only this module decides it: all files are rendered from the result of `released`, whose zones,
topology and mappings have one revision. This is the newest revision or, during a rollout, the one
that the rollout allows this node (docs/rollout.md).
"""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

from originmap.domain.history.snapshot import MappingSelection, Part
from originmap.domain.rollout.rollout import allowed
from originmap.edge.errors import NothingToServe
from originmap.service.rollout.past_state import released_snapshot
from originmap.service.rollout.release import Release, read_release
from originmap.store.port import Store


@contextlib.asynccontextmanager
async def released(
    store: Store, name: str, colo: str | None, selection: MappingSelection | None = None
) -> AsyncIterator[Release]:
    """The state that the node with this name can serve; with `selection`, if it is the newest
    revision, only these mappings. Raises NothingToServe before the first snapshot is loaded, and
    HistoryGone if the allowed revision is no longer in the history."""
    if not store.is_replica:
        raise NothingToServe
    # Use the rollout of this snapshot: one read before it may be older.
    async with _opened(store.snapshot(selection=selection)) as newest:
        at = allowed(newest.rollout, name, colo or "")
        if at is None or at >= newest.revision:
            yield newest
            return
    async with _opened(released_snapshot(store, at)) as earlier:
        yield earlier._replace(past=True)


@contextlib.asynccontextmanager
async def _opened(parts: AsyncGenerator[Part, None]) -> AsyncIterator[Release]:
    async with contextlib.aclosing(parts):
        release = await read_release(parts)
        async with contextlib.aclosing(release.mappings):
            yield release
