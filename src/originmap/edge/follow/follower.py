"""Keeps a replica's store up to date with its primary.

The replica loads a snapshot, then follows the change feed. After a disconnect it continues from
its last revision; if the primary no longer has the changes since then, it does a full sync: it
loads a snapshot again. It also compares itself with the primary at intervals, and does a full sync
if they differ. The store always serves the last complete state.
"""

import asyncio
import logging
import random
import time

from originmap.domain.errors import (
    AnswerTooLarge,
    BrokenFeed,
    FeedError,
    OriginmapError,
    PrimaryGone,
    PrimaryUntrusted,
    StoreError,
    StoreFailed,
)
from originmap.domain.history.change import Change
from originmap.edge.follow.comparison import Comparison
from originmap.edge.follow.disk_space import within_room
from originmap.edge.follow.source import FeedSource
from originmap.feed.changes_json import ChangeJSON, DeltaJSON, read_changes
from originmap.service.feed.feed import Point
from originmap.service.feed.replication import Replication
from originmap.service.history.retention import Floor
from originmap.store.port import Store

_LOG = logging.getLogger(__name__)
_PORTION = 5_000
_AT_ONCE = 250
"""Changes that are decoded before the event loop gets a turn: less than a millisecond."""
_WAIT_SECONDS = 5
"""How long a long poll waits; the age of an idle replica grows up to this."""
_LONGEST_PAUSE = 5.0
_LONGEST_SNAPSHOT_PAUSE = 300.0
"""Back-off after snapshots that failed, because each is as large as the database."""
_COMPARE_SECONDS, _LONGEST_COMPARE = 300.0, 24 * 3600.0
"""Between two comparisons with the primary; doubled while each of them finds a difference."""
_FIRST_REACH, _LONGEST_REACH = 5.0, 3600.0
"""Between two full syncs that fetch more history."""


class Follower:
    """Follows one primary."""

    def __init__(
        self,
        store: Store,
        client: FeedSource,
        replication: Replication,
        floor: Floor = lambda: None,
        compare_seconds: float = _COMPARE_SECONDS,
    ) -> None:
        """`floor` returns the lowest revision that a rollout holds nodes at, or None; the history
        must include it. `compare_seconds` is the time between two comparisons with the primary."""
        self._compare_seconds = compare_seconds
        self._store = store
        self._floor = floor
        self._reach_at, self._reach_pause = 0.0, _FIRST_REACH
        self._client = client
        self._replication = replication
        self._portion = _PORTION
        self._comparison = Comparison(store, client)
        self._failed_snapshots = 0  # in a row, or loaded but not continued by the changes
        self._continued = True  # whether the changes continue the last snapshot
        self._difference = ""

    async def run(self) -> None:
        """Follow until cancelled. Raises only errors that retrying does not fix: PrimaryUntrusted
        before the first snapshot is loaded, and StoreFailed if the database is damaged; after a
        restart it is fetched again."""
        await self._note_initial_age()
        comparing = asyncio.create_task(self._keep_comparing())
        try:
            await self._keep_following()
        finally:
            comparing.cancel()

    async def _keep_following(self) -> None:
        pause = 0.1
        while True:
            try:
                await self._follow()
            except PrimaryUntrusted as error:
                if not self._store.is_replica:  # there is nothing to serve
                    raise
                self._report(error)
            except (FeedError, StoreError) as error:
                if isinstance(error, StoreFailed) and error.damaged:
                    error.hint = "restart: the damaged database is then fetched again"
                    raise
                if self._replication.connected:
                    pause = 0.1
                self._report(error)
            await asyncio.sleep(_spread(max(pause, self._snapshot_pause)))
            pause = min(pause * 2, _LONGEST_PAUSE)

    @property
    def _snapshot_pause(self) -> float:
        failed = self._failed_snapshots
        return min(0.5 * 2**failed, _LONGEST_SNAPSHOT_PAUSE) if failed else 0.0

    async def _keep_comparing(self) -> None:
        pause = self._compare_seconds
        while True:
            await asyncio.sleep(_spread(pause))
            if not self._replication.connected:
                continue
            try:
                self._difference = await self._comparison.differs()
            except (FeedError, StoreError):
                continue  # the feed meets the same error and reports it
            longer = min(pause * 2, _LONGEST_COMPARE)
            pause = longer if self._difference else self._compare_seconds

    async def catch_up(self) -> None:
        """Replicate the primary's current state, then return. Raises FeedError, StoreError."""
        await self._follow(once=True)

    async def _follow(self, *, once: bool = False) -> None:
        if not self._store.is_replica:
            await self._load()
        ahead: asyncio.Task[DeltaJSON] | None = None
        wait = 0
        try:
            while True:
                delta = await (ahead or self._fetch(self._point, wait))
                ahead = None
                if problem := await self._problem(delta):
                    await self._full_sync(problem)
                    continue
                after = Point(delta.epoch, delta.revision)
                has_more = len(delta.changes) >= self._portion
                self._portion = min(self._portion * 2, _PORTION)
                if has_more:  # fetch the next page while this one is written
                    ahead = asyncio.create_task(self._fetch(after, 0))
                await self._apply(await _read(delta.changes), delta.revision)
                if ahead is not None and self._point != after:  # after a full sync
                    ahead.cancel()
                    ahead, wait = None, 0
                    continue
                if ahead is None:
                    await self._extend_history()
                    self._replication.heard(self._client.age)
                    if once:
                        return
                wait = _WAIT_SECONDS
        finally:
            if ahead is not None:
                ahead.cancel()

    @property
    def _point(self) -> Point:
        return Point(self._store.epoch, self._store.revision)

    async def _problem(self, delta: DeltaJSON) -> str:
        """Why the store cannot continue with `delta`; "" if it can."""
        if self._difference:
            return f"{self._difference} differ from the primary's"
        if delta.reset:
            return delta.reason or "a reset"
        if not delta.follows(await self._store.time_of(delta.since)):
            return f"the primary has another change {delta.since}"
        return ""

    async def _fetch(self, point: Point, wait: int) -> DeltaJSON:
        """Fetch a page of changes; a smaller page if they are large."""
        while True:
            try:
                return await self._client.changes(point, self._portion, wait)
            except AnswerTooLarge:
                if self._portion == 1:
                    raise
                self._portion = max(self._portion // 16, 1)

    async def _apply(self, changes: list[Change], revision: int) -> None:
        if changes:
            try:
                await self._store.apply(changes)
            except BrokenFeed as error:
                await self._full_sync(str(error))
                return
        if self._store.revision != revision:
            await self._full_sync("changes are missing")
            return
        self._failed_snapshots, self._continued = 0, True

    async def _full_sync(self, why: str) -> None:
        _LOG.warning("full sync", extra={"data": {"why": why}})
        if not self._continued:  # snapshots and changes come from different servers
            self._failed_snapshots += 1
            await asyncio.sleep(_spread(self._snapshot_pause))
        self._continued = False
        await self._load()

    async def _load(self) -> None:
        began = self._replication.moment()
        try:
            await self._store.load(within_room(self._store, self._client.snapshot()))
        except PrimaryGone:
            raise
        except (FeedError, StoreError):
            self._failed_snapshots += 1
            raise
        self._difference = ""
        revision = self._store.revision
        _LOG.warning("loaded a snapshot", extra={"data": {"revision": revision}})
        # From now on the replica can serve, even if the primary disappears.
        self._replication.synced(began, self._client.age)

    async def _extend_history(self) -> None:
        """Do a full sync with history if nodes are held at a revision older than the local
        history. The primary may not have that history, or not yet."""
        floor = self._floor()
        if floor is None or floor >= self._store.oldest:
            self._reach_at, self._reach_pause = 0.0, _FIRST_REACH
            return
        if time.monotonic() < self._reach_at:
            return
        oldest = self._store.oldest
        why = f"nodes are held at revision {floor}, but the history starts at {oldest}"
        await self._full_sync(why)
        self._reach_at = time.monotonic() + self._reach_pause
        self._reach_pause = min(self._reach_pause * 2, _LONGEST_REACH)

    async def _note_initial_age(self) -> None:
        """Set the age of the stored state: it is at most as old as its last change."""
        if self._store.is_replica:
            at = await self._store.time_of(self._store.revision)
            self._replication.restored(at or 0)

    def _report(self, error: OriginmapError) -> None:
        if self._replication.failed(str(error)):
            data = {"why": str(error), "do": error.hint}
            _LOG.warning("cannot follow the primary", extra={"data": data})


def _spread(seconds: float) -> float:
    """Add jitter of up to a half, so that replicas do not reconnect to a primary all at once."""
    return seconds * random.uniform(0.5, 1.5)  # noqa: S311 (not a secret)


async def _read(changes: list[ChangeJSON]) -> list[Change]:
    """Decode changes. Raises BrokenFeed."""
    decoded: list[Change] = []
    for at in range(0, len(changes), _AT_ONCE):
        decoded += read_changes(changes[at : at + _AT_ONCE])
        await asyncio.sleep(0)
    return decoded
