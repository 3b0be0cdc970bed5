"""Finds out whether a replica still is what its primary is: that changes came in order proves
nothing of what a disk, an operator or a backup did to either.
"""

import asyncio
import contextlib
import logging

from originmap.domain.history.snapshot import start_of
from originmap.edge.follow.feed_client import FeedClient
from originmap.feed.changes_json import read_changes
from originmap.feed.state_digest import difference
from originmap.service.feed.digests import digest_of
from originmap.service.feed.feed import Point
from originmap.store.port import Store

_LOG = logging.getLogger(__name__)
_TURNS, _TURN_SECONDS = 100, 0.1
"""How long to wait until this replica has what the digest is of."""


class Comparison:
    """Of a store with what its primary has."""

    def __init__(self, store: Store, client: FeedClient) -> None:
        self._store = store
        self._client = client
        self._warned = False

    async def last_change_differs(self) -> bool:
        """Whether the primary has another change at the last revision that is stored here: it was
        restored from an older copy, and written on. Cheap, for each time that the primary was not
        heard of. Raises FeedError, StoreError."""
        epoch, revision = self._store.epoch, self._store.revision
        if revision == 0:
            return False
        delta = await self._client.changes(Point(epoch, revision - 1), 1, 0)
        if delta.reset or not delta.changes:
            return False  # what comes next tells why
        (theirs,) = read_changes(delta.changes)
        return (theirs.revision, theirs.at) != (revision, await self._last_time())

    async def differs(self) -> str:
        """What differs, by the digests of both; "" if nothing does, or if that cannot be told now.
        Raises FeedError, StoreError."""
        theirs = await self._client.digest()
        if theirs is None:
            if not self._warned:
                self._warned = True
                _LOG.warning("the primary is of a version that cannot be compared with")
            return ""
        for _ in range(_TURNS):  # it is on its way, most often
            if self._store.revision >= theirs.revision:
                break
            await asyncio.sleep(_TURN_SECONDS)
        ours = await digest_of(self._store, theirs.revision)
        if ours is None or ours.epoch != theirs.epoch:
            return ""
        return difference(ours, theirs)

    async def _last_time(self) -> int:
        found = await self._store.changes(self._store.revision - 1, 1)
        return found[0].at if found else await time_of(self._store)


async def time_of(store: Store) -> int:
    """When the last change of a store was made. Raises StoreError."""
    async with contextlib.aclosing(store.snapshot()) as parts:
        return (await start_of(parts)).at
