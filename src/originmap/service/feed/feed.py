"""The change feed: the changes after a reader's point, or a reset.

A point is a revision of the database with a certain epoch. The history is limited: a reader whose
point is older than the history, newer than the database, or of another database gets a reset and
must take a snapshot.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator
from typing import NamedTuple

from originmap.domain.errors import InvalidQuery
from originmap.domain.history.change import LAST_REVISION, Change
from originmap.domain.history.snapshot import Part
from originmap.domain.number import whole
from originmap.service.feed.snapshots import SnapshotReader, Snapshots
from originmap.service.feed.view import View
from originmap.service.history.past_zones import PastZones
from originmap.service.turns import PIECE, Turns
from originmap.store.port import Store

_EPOCH = re.compile(r"[0-9a-f]{0,32}")
_CHUNK = 500
"""Changes that are read in one turn."""


class Point(NamedTuple):
    """A revision of a database; `epoch` is "" if the reader does not know it."""

    epoch: str
    revision: int


class Delta(NamedTuple):
    """The changes after `since`, up to `revision`.

    If `reset` is not "", it is the reason why the changes cannot be listed: the reader must take a
    snapshot, and `revision` is the newest of the database. `since_at` is the time of the change
    `since`, for readers of every revision; None if it is unknown.
    """

    epoch: str
    since: int
    revision: int
    changes: list[Change]
    reset: str = ""
    since_at: int | None = None


def point_of(text: str) -> Point:
    """Parse a point such as "41" or "8c0f…-41". Raises InvalidQuery."""
    epoch, dash, digits = text.rpartition("-")
    revision = whole(digits, 0, LAST_REVISION)
    if revision is None or _EPOCH.fullmatch(epoch) is None or (dash and not epoch):
        raise InvalidQuery('a point in the feed is a revision, as in "41", or "EPOCH-41"')
    return Point(epoch, revision)


class Feed:
    """Reads changes after a point."""

    def __init__(
        self,
        store: Store,
        zones: PastZones,
        snapshots: Snapshots | None = None,
        turns: Turns | None = None,
    ) -> None:
        self._store = store
        self._zones = zones
        self.turns = turns or Turns()
        self._snapshots = snapshots or Snapshots(store)
        self._next: asyncio.Future[None] | None = None
        self._stopped = False
        store.follow_commits(self._wake)

    @property
    def now(self) -> Point:
        """The newest revision of the database."""
        return Point(self._store.epoch, self._store.revision)

    @property
    def generation(self) -> int:
        """See `Store.generation`."""
        return self._store.generation

    def now_for(self, view: View) -> Point:
        """Return the newest revision with the epoch that readers of `view` see."""
        return Point(view.epoch(self._store.epoch), self._store.revision)

    @property
    def stopped(self) -> bool:
        """Whether the server is stopping, so that nothing waits for changes."""
        return self._stopped

    def stop(self) -> None:
        """Stop all waits for changes."""
        self._stopped = True
        self._wake()

    async def after(self, point: Point, view: View, limit: int) -> Delta:
        """Return the changes after `point` that `view` shows, at most `limit`, without waiting."""
        epoch, generation = point.epoch or view.epoch(self._store.epoch), self._store.generation
        since, changes = point.revision, list[Change]()
        chunk_size = min(_CHUNK, limit) if view.complete else _CHUNK
        while len(changes) < limit:
            reached = self._store.revision
            if reached - since > PIECE:  # most readers wait for a few changes, which need no turn
                await self.turns.next()
            chunk = await self._store.changes(since, chunk_size, view.zone_id)
            reset = self.reset(Point(epoch, since), view)
            if self._store.generation != generation:  # the changes so far may be of both
                reset = "another database was loaded during the read"
            if reset:
                now = self.now_for(view)
                return Delta(now.epoch, point.revision, now.revision, [], reset)
            if not chunk:
                since = max(since, reached)
                break
            changes += (await view.of(chunk, self._zones))[: limit - len(changes)]
            since = changes[-1].revision if len(changes) >= limit else chunk[-1].revision
            if changes and view.whole and len(chunk) < chunk_size:
                break  # the end, or large records, which are sent before more are read
        # Read after the changes: if another database is loaded in between, the time does not match.
        since_at = await self._store.time_of(point.revision) if view.complete else None
        return Delta(epoch, point.revision, since, changes, since_at=since_at)

    async def wait(
        self,
        point: Point,
        view: View,
        limit: int,
        seconds: float,
        leaving: asyncio.Future[None] | None = None,
    ) -> Delta:
        """Return the changes after `point`; if there are none, wait for them.

        The wait ends after `seconds`, or when `leaving` is done: the client then sends nothing more
        and may have disconnected.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        delta = await self.after(point, view, limit)
        while not (delta.changes or delta.reset or self._stopped):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0 or not await self.changed(delta.revision, left, leaving):
                break
            later = await self.after(Point(delta.epoch, delta.revision), view, limit)
            delta = later._replace(since=point.revision)
        return delta

    async def changed(
        self, revision: int, seconds: float, leaving: asyncio.Future[None] | None = None
    ) -> bool:
        """Wait until the database is past `revision`, at most `seconds`, or until `leaving` is
        done. Return whether it is past it."""
        if self._store.revision > revision or self._stopped:
            return True
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        signs = [self._next] if leaving is None else [self._next, leaving]
        done, _ = await asyncio.wait(signs, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return signs[0] in done

    async def snapshot(self, view: View, since: int | None = None) -> AsyncGenerator[Part, None]:
        """Yield what `view` shows of a snapshot, followed, if `since` is set, by the changes after
        that revision. Raises StoreBusy if too many snapshots are open."""
        readable: set[str] = set()
        reader = SnapshotReader(view.credential, view.complete)
        async with contextlib.aclosing(self._snapshots.take(reader, since)) as parts:
            async for part in parts:
                visible = await view.part(part, readable, self._zones)
                if visible is not None:
                    yield visible

    def reset(self, point: Point, view: View | None = None) -> str:
        """Return why a reader of `view` cannot continue from `point`; "" if it can.

        Call it after reading the changes: during the read, another process may have trimmed the
        history, or a replica may have loaded another database.
        """
        epoch, revision = self.now if view is None else self.now_for(view)
        if point.epoch not in ("", epoch):
            return "the database is another one"
        if point.revision > revision:
            return f"the database has not reached revision {point.revision}"
        if point.revision < self._store.oldest:
            return f"the history goes back to revision {self._store.oldest}"
        return ""

    def _wake(self) -> None:
        if self._next is not None:
            self._next.set_result(None)
            self._next = None
