"""The feed: what changed after a point that a reader has reached, or that it must start anew.

A point is a revision of a database that its epoch names. The history of changes goes back only
so far; a reader that is behind it, ahead of the database, or comes from another one, is told to
take a snapshot.
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
    """A revision; of which database, "" where the reader does not say."""

    epoch: str
    revision: int


class Delta(NamedTuple):
    """What changed after `since`, up to `revision`. With a `reset`, the reason why that cannot
    be told, the reader takes a snapshot; `revision` is where the database is then."""

    epoch: str
    since: int
    revision: int
    changes: list[Change]
    reset: str = ""


def point_of(text: str) -> Point:
    """The point that "41" or "8c0f…-41" stands for. Raises InvalidQuery."""
    epoch, dash, digits = text.rpartition("-")
    revision = whole(digits, 0, LAST_REVISION)
    if revision is None or _EPOCH.fullmatch(epoch) is None or (dash and not epoch):
        raise InvalidQuery('a point in the feed is a revision, as in "41", or "EPOCH-41"')
    return Point(epoch, revision)


class Feed:
    """Answers questions about changes."""

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
        """The point that the database has reached."""
        return Point(self._store.epoch, self._store.revision)

    def now_for(self, view: View) -> Point:
        """The same, as readers of `view` know it."""
        return Point(view.epoch(self._store.epoch), self._store.revision)

    @property
    def stopped(self) -> bool:
        """Whether the server stops: nobody shall wait any more."""
        return self._stopped

    def stop(self) -> None:
        """Let everybody who waits go."""
        self._stopped = True
        self._wake()

    async def after(self, point: Point, view: View, limit: int) -> Delta:
        """What `view` shows of the changes after `point`, at most `limit` of them; at once."""
        epoch = point.epoch or view.epoch(self._store.epoch)
        since, found = point.revision, list[Change]()
        chunk_size = min(_CHUNK, limit) if view.complete else _CHUNK
        while len(found) < limit:
            reached = self._store.revision
            if reached - since > PIECE:  # not for the few that most readers wait for
                await self.turns.next()
            chunk = await self._store.changes(since, chunk_size, view.zone_id)
            reset = self.reset(Point(epoch, since), view)
            if reset:
                now = self.now_for(view)
                return Delta(now.epoch, point.revision, now.revision, [], reset)
            if not chunk:
                since = max(since, reached)
                break
            found += (await view.of(chunk, self._zones))[: limit - len(found)]
            since = found[-1].revision if len(found) >= limit else chunk[-1].revision
            if found and view.whole and len(chunk) < chunk_size:
                break  # all there is, or records so large that they are sent before there are more
        return Delta(epoch, point.revision, since, found)

    async def wait(
        self,
        point: Point,
        view: View,
        limit: int,
        seconds: float,
        leaving: asyncio.Future[None] | None = None,
    ) -> Delta:
        """As `after`, and waits for changes if there are none, up to `seconds`, or until `leaving`
        is done: the reader sends nothing more, and may be gone."""
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
        done; whether it is past it."""
        if self._store.revision > revision or self._stopped:
            return True
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        signs = [self._next] if leaving is None else [self._next, leaving]
        done, _ = await asyncio.wait(signs, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return signs[0] in done

    async def snapshot(self, view: View, since: int | None = None) -> AsyncGenerator[Part, None]:
        """What `view` shows of a snapshot; of one with the changes after `since`, where that is
        given. Raises StoreBusy while too many are being read."""
        readable: set[str] = set()
        reader = SnapshotReader(view.credential, view.complete)
        async with contextlib.aclosing(self._snapshots.take(reader, since)) as parts:
            async for part in parts:
                shown = await view.part(part, readable, self._zones)
                if shown is not None:
                    yield shown

    def reset(self, point: Point, view: View | None = None) -> str:
        """Why a reader of `view` cannot go on from `point`; "" where it can. Asked after its
        changes were read: meanwhile another process may have forgotten them, or a replica may
        have been given another database."""
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
