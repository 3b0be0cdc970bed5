"""Checks that a replica is still equal to its primary.

Receiving all changes in order does not prove it: a disk error, an operator or a restored backup
can change either side.
"""

import asyncio
import contextlib
import logging

from originmap.domain.history.snapshot import start_of
from originmap.edge.follow.source import FeedSource
from originmap.feed.changes_json import read_changes
from originmap.feed.state_digest import difference
from originmap.service.feed.digests import digest_of
from originmap.service.feed.feed import Point
from originmap.store.port import Store

_LOG = logging.getLogger(__name__)
_TURNS, _TURN_SECONDS = 100, 0.1
"""How long to wait until this replica has the revision of the digest."""


class Comparison:
    """Compares a store with its primary."""

    def __init__(self, store: Store, client: FeedSource) -> None:
        self._store = store
        self._client = client
        self._warned = False

    async def last_change_differs(self) -> bool:
        """Whether the primary has another change at this replica's last revision. That happens
        when the primary is restored from a backup and then written to. Cheap enough for every
        reconnect. Raises FeedError, StoreError."""
        epoch, revision = self._store.epoch, self._store.revision
        if revision == 0:
            return False
        delta = await self._client.changes(Point(epoch, revision - 1), 1, 0)
        if delta.reset or not delta.changes:
            return False  # the next request gets the reason
        (theirs,) = read_changes(delta.changes)
        return (theirs.revision, theirs.at) != (revision, await self._last_time())

    async def differs(self) -> str:
        """The differences by the digests of both; "" if there are none, or if they cannot be
        compared now. Raises FeedError, StoreError."""
        theirs = await self._client.digest()
        if theirs is None:
            if not self._warned:
                self._warned = True
                _LOG.warning("this version of the primary has no digest to compare with")
            return ""
        for _ in range(_TURNS):  # the missing changes usually arrive within moments
            if self._store.revision >= theirs.revision:
                break
            await asyncio.sleep(_TURN_SECONDS)
        ours = await digest_of(self._store, theirs.revision)
        if ours is None or ours.epoch != theirs.epoch:
            return ""
        return difference(ours, theirs)

    async def _last_time(self) -> int:
        changes = await self._store.changes(self._store.revision - 1, 1)
        return changes[0].at if changes else await time_of(self._store)


async def time_of(store: Store) -> int:
    """The time of the last change in a store. Raises StoreError."""
    async with contextlib.aclosing(store.snapshot()) as parts:
        return (await start_of(parts)).at
