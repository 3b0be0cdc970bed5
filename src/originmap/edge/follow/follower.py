"""Keeps a replica's store what its primary's is.

First a snapshot, then changes as they come; after a break on from where it was, and where the
primary cannot tell what happened since, a snapshot again. Every so often both are compared, and
where they differ a snapshot is taken too. Whatever happens, the store serves the last state that
came whole.
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
from originmap.edge.follow.comparison import Comparison, time_of
from originmap.edge.follow.disk_space import within_room
from originmap.edge.follow.feed_client import FeedClient
from originmap.feed.changes_json import ChangeJSON, DeltaJSON, read_changes
from originmap.service.feed.feed import Point
from originmap.service.feed.replication import Replication
from originmap.service.history.retention import Floor
from originmap.store.port import Store

_LOG = logging.getLogger(__name__)
_PORTION = 5_000
_AT_ONCE = 250
"""Changes that are read before others get a turn: less than a millisecond."""
_WAIT_SECONDS = 5
"""How long a question may wait: the age of a replica that hears of nothing new grows to this."""
_LONGEST_PAUSE = 5.0
_LONGEST_SPOILT = 300.0
"""After snapshots that could not be used: each of them is as large as the database."""
_COMPARE_SECONDS, _LONGEST_COMPARE = 300.0, 24 * 3600.0
"""Between two comparisons with the primary; more where one after the other finds a difference."""
_FIRST_REACH, _LONGEST_REACH = 5.0, 3600.0
"""Between two snapshots that shall bring more history."""


class Follower:
    """Follows one primary."""

    def __init__(
        self,
        store: Store,
        client: FeedClient,
        replication: Replication,
        floor: Floor = lambda: None,
        compare_seconds: float = _COMPARE_SECONDS,
    ) -> None:
        """`floor` tells the revision that nodes are kept at, None where they are not: the history
        is to reach back to it. `compare_seconds` are between two comparisons with the primary."""
        self._compare_seconds = compare_seconds
        self._store = store
        self._floor = floor
        self._reach_at, self._reach_pause = 0.0, _FIRST_REACH
        self._client = client
        self._replication = replication
        self._portion = _PORTION
        self._comparison = Comparison(store, client)
        self._spoilt = 0  # snapshots that could not be used, one after the other
        self._difference = ""

    async def run(self) -> None:
        """Follow until cancelled. Raises what does not go away by waiting: PrimaryUntrusted before
        there is a first copy, and StoreFailed where the copy is damaged: the next start fetches it
        again."""
        await self._note_age_of_what_is_there()
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
                    error.hint = "start this again: the damaged copy is fetched again then"
                    raise
                if self._replication.connected:
                    pause = 0.1
                self._report(error)
            if self._spoilt:
                pause = max(pause, min(0.5 * 2**self._spoilt, _LONGEST_SPOILT))
            await asyncio.sleep(_spread(pause))
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _keep_comparing(self) -> None:
        pause = self._compare_seconds
        while True:
            await asyncio.sleep(_spread(pause))
            if not self._replication.connected:
                continue
            try:
                self._difference = await self._comparison.differs()
            except (FeedError, StoreError):
                continue  # whatever it is, following meets it too
            longer = min(pause * 2, _LONGEST_COMPARE)
            pause = longer if self._difference else self._compare_seconds

    async def catch_up(self) -> None:
        """Take over what the primary has now. Raises FeedError, StoreError."""
        await self._follow(once=True)

    async def _follow(self, *, once: bool = False) -> None:
        if not self._store.is_replica:
            await self._load()
        elif await self._comparison.last_change_differs():
            await self._start_anew(f"the primary has another change {self._store.revision}")
        ahead: asyncio.Task[DeltaJSON] | None = None
        wait = 0
        try:
            while True:
                delta = await (ahead or self._ask(self._point, wait))
                ahead = None
                if delta.reset or self._difference:
                    differs = self._difference and f"{self._difference} differ from the primary's"
                    await self._start_anew(differs or delta.reason or "a reset")
                    continue
                after = Point(delta.epoch, delta.revision)
                there_is_more = len(delta.changes) >= self._portion
                self._portion = min(self._portion * 2, _PORTION)
                if there_is_more:  # ask while this is written
                    ahead = asyncio.create_task(self._ask(after, 0))
                await self._apply(await _read(delta.changes), delta.revision)
                if ahead is not None and self._point != after:  # a snapshot was taken instead
                    ahead.cancel()
                    ahead, wait = None, 0
                    continue
                if ahead is None:
                    await self._reach_back()
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

    async def _ask(self, point: Point, wait: int) -> DeltaJSON:
        """Ask for changes, for fewer where they are large."""
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
                await self._start_anew(str(error))
                return
        if self._store.revision != revision:
            await self._start_anew("changes are missing")

    async def _start_anew(self, why: str) -> None:
        _LOG.warning("starting anew", extra={"data": {"why": why}})
        await self._load()

    async def _load(self) -> None:
        began = self._replication.moment()
        try:
            await self._store.load(within_room(self._store, self._client.snapshot()))
        except PrimaryGone:
            raise
        except (FeedError, StoreError):
            self._spoilt += 1
            raise
        self._spoilt, self._difference = 0, ""
        revision = self._store.revision
        _LOG.warning("took a snapshot", extra={"data": {"revision": revision}})
        # It is there to be served, also when the primary is not heard of again.
        self._replication.synced(began, self._client.age)

    async def _reach_back(self) -> None:
        """Take the history along from where nodes are kept, when that is before what is here. The
        primary may not have it, or not yet."""
        floor = self._floor()
        if floor is None or floor >= self._store.oldest:
            self._reach_at, self._reach_pause = 0.0, _FIRST_REACH
            return
        if time.monotonic() < self._reach_at:
            return
        oldest = self._store.oldest
        why = f"nodes are kept at revision {floor}, and the history starts at {oldest}"
        await self._start_anew(why)
        self._reach_at = time.monotonic() + self._reach_pause
        self._reach_pause = min(self._reach_pause * 2, _LONGEST_REACH)

    async def _note_age_of_what_is_there(self) -> None:
        """What is there is at most as old as its last change."""
        if self._store.is_replica:
            self._replication.restored(await time_of(self._store))

    def _report(self, error: OriginmapError) -> None:
        if self._replication.failed(str(error)):
            _LOG.warning("cannot follow", extra={"data": {"why": str(error), "do": error.hint}})


def _spread(seconds: float) -> float:
    """About so long, so that the replicas of a primary that comes back do not come at once."""
    return seconds * random.uniform(0.5, 1.5)  # noqa: S311 (not a secret)


async def _read(changes: list[ChangeJSON]) -> list[Change]:
    """Raises BrokenFeed."""
    found: list[Change] = []
    for at in range(0, len(changes), _AT_ONCE):
        found += read_changes(changes[at : at + _AT_ONCE])
        await asyncio.sleep(0)
    return found
