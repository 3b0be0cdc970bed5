"""Checks that a replica is still equal to its primary.

Receiving all changes in order does not prove it: a disk error or an operator can change either
side.
"""

import asyncio
import logging

from originmap.edge.follow.source import FeedSource
from originmap.feed.state_digest import difference
from originmap.service.feed.digests import digest_of
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
