"""A node of a cache in a rollout: it follows the feed with its own store, decides with its own copy
of the rollout which revision it may serve, and reports that.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx

from originmap.domain.errors import HistoryGone
from originmap.domain.history.snapshot import SnapshotStart, ZoneMappings
from originmap.domain.mapping import address as addresses
from originmap.domain.rollout.rollout import allowed
from originmap.edge.follow.feed_client import FeedClient
from originmap.edge.follow.follower import Follower
from originmap.service.feed.replication import Replication
from originmap.service.rollout.current_rollout import CurrentRollout
from originmap.service.rollout.past_state import released_snapshot
from originmap.store.clock import wall_clock
from originmap.store.memory import MemoryStore


class Node:
    """One node. `serves` is the region of each address at revision `applied`; a node that is
    `stuck` applies no new revision and reports that.
    """

    def __init__(self, name: str, colo: str) -> None:
        self.name, self.colo = name, colo
        self.serves: dict[str, str] = {}
        self.applied = -1
        self.stuck = False
        self._store = MemoryStore()
        self._current = CurrentRollout(self._store)

    @contextlib.asynccontextmanager
    async def at_work(self, url: str, token: str) -> AsyncIterator["Node"]:
        """Follow, and report in the background."""
        replication = Replication(url, wall_clock)
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            FeedClient(url, token, self.name) as client,
            httpx.AsyncClient(base_url=url, headers=headers) as http,
        ):
            follower = Follower(self._store, client, replication, lambda: self._current.floor)
            tasks = [
                asyncio.create_task(follower.run()),
                asyncio.create_task(self._report(http, replication)),
            ]
            try:
                yield self
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _report(self, http: httpx.AsyncClient, replication: Replication) -> None:
        while True:
            with contextlib.suppress(httpx.TransportError, HistoryGone):
                if replication.loaded and not self.stuck:
                    await self._take()
                report = {
                    "revision": self._store.revision,
                    "colo": self.colo,
                    "applied": max(self.applied, 0),
                    "problem": "nginx -t failed" if self.stuck else "",
                }
                await http.put(f"/originmap/v1/followers/{self.name}", json=report)
            await asyncio.sleep(0.05)

    async def _take(self) -> None:
        """Serve the allowed revision."""
        serves: dict[str, str] = {}
        async for part in released_snapshot(
            self._store, allowed(self._current.rollout, self.name, self.colo)
        ):
            if isinstance(part, SnapshotStart):
                self.applied = part.revision
            elif isinstance(part, ZoneMappings):
                for mapping in part.mappings:
                    serves[addresses.text(mapping.address)] = mapping.place.region
        self.serves = serves
