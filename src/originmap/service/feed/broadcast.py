"""Sends each commit to everybody who watches, as soon as it is there.

What is sent is made once for all who see the same, and handed to their connections at once,
without a task for each: a thousand of them cost a thousand writes to sockets and no more. Whoever
does not take what is sent in time is cut off, and can go on from the last point it got.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

from originmap.domain.errors import StoreError
from originmap.domain.history.change import Change
from originmap.domain.history.record import RecordChange
from originmap.service.feed.feed import Delta, Feed, Point
from originmap.service.feed.view import View
from originmap.service.history.past_zones import PastZones
from originmap.store.port import Store

_LOG = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 15.0
MOST_UNSENT = 1 << 20
"""Bytes that may wait for one watcher."""
_CHUNK = 500

SLOW = "too slow: resume from the last id"
REVOKED = "the credential has changed: ask again"
STOPPING = "the server stops: ask again"
REPLACED = "the database was replaced: ask again"
FAILED = "the changes could not be read: ask again"


class Watcher(Protocol):
    """A connection that changes are sent to."""

    view: View
    position: int  # the revision that it was told of last

    @property
    def unsent(self) -> int:
        """Bytes that wait for it."""

    def allowed(self) -> bool:
        """Whether its credential still has the rights it came with."""

    def send(self, event: bytes) -> None:
        """Send an event."""

    def end(self, reason: str) -> None:
        """Send a last event that tells the reason, and end."""


class Encoder(Protocol):
    """How events are written."""

    def changes(self, delta: Delta) -> bytes:
        """An event that tells changes."""

    def heartbeat(self, now: Point) -> bytes:
        """An event that tells the point reached, and that the server is there."""


class Broadcast:
    """Everybody who watches."""

    def __init__(
        self,
        store: Store,
        feed: Feed,
        zones: PastZones,
        encoder: Encoder,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._store = store
        self._feed = feed
        self._zones = zones
        self._encoder = encoder
        self._heartbeat_seconds = heartbeat_seconds
        self._watchers: set[Watcher] = set()
        self._alike: list[list[Watcher]] | None = None  # by view, until somebody comes or goes
        self._task: asyncio.Task[None] | None = None
        self._at = Point("", 0)
        self._heartbeat_at = 0.0
        store.follow_records(self._check_rights)

    @property
    def count(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def join(self, watcher: Watcher) -> bool:
        """Send `watcher` everything after its position from now on. False where that is behind
        what the others were sent already: it must catch up first."""
        if self._feed.stopped:
            watcher.end(STOPPING)
            return True
        if not self._watchers:
            self._at = Point(self._store.epoch, watcher.position)
        if watcher.position < self._at.revision:
            return False
        self._watchers.add(watcher)
        self._alike = None
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return True

    def leave(self, watcher: Watcher) -> None:
        """Send nothing more."""
        self._watchers.discard(watcher)
        self._alike = None

    async def _run(self) -> None:
        now = asyncio.get_running_loop().time
        self._heartbeat_at = now() + self._heartbeat_seconds
        try:
            while self._watchers and not self._feed.stopped:
                left = self._heartbeat_at - now()
                if left <= 0:  # however much is written
                    self._heartbeat_at = now() + self._heartbeat_seconds
                    self._send_heartbeat()
                elif await self._feed.changed(self._at.revision, left):
                    await self._send_changes()
        except StoreError as error:
            _LOG.error("streams end", extra={"data": {"why": str(error)}})
        finally:
            self._task = None
            # Nobody is left waiting, whatever went wrong: there would be no heartbeats either.
            self._end_all(STOPPING if self._feed.stopped else FAILED)

    async def _send_changes(self) -> None:
        changes = await self._store.changes(self._at.revision, _CHUNK)
        if self._feed.reset(self._at):
            self._end_all(REPLACED)
            return
        if not changes:
            return
        since, self._at = self._at.revision, Point(self._at.epoch, changes[-1].revision)
        for alike in self._by_view():
            seen = await alike[0].view.of(changes, self._zones)
            self._send(alike, since, seen)

    def _send(self, alike: Sequence[Watcher], since: int, seen: Sequence[Change]) -> None:
        event, reached = self._event(since, seen, alike[0].view), self._at.revision
        for watcher in alike:
            if watcher.position > since:  # it came while these were on their way
                self._deliver(watcher, self._event(watcher.position, seen, watcher.view))
                watcher.position = max(watcher.position, reached)
            else:
                self._deliver(watcher, event)
                watcher.position = reached

    def _event(self, since: int, seen: Sequence[Change], view: View) -> bytes:
        changes = [change for change in seen if change.revision > since]
        if not changes:
            return b""
        epoch, revision = self._at
        return self._encoder.changes(Delta(view.epoch(epoch), since, revision, changes))

    def _deliver(self, watcher: Watcher, event: bytes) -> None:
        if not event:
            return
        if watcher.unsent > MOST_UNSENT:
            self._end(watcher, SLOW)
        else:
            watcher.send(event)

    def _send_heartbeat(self) -> None:
        events: dict[Point, bytes] = {}
        for watcher in list(self._watchers):
            if not watcher.allowed():
                self._end(watcher, REVOKED)
                continue
            # One may be ahead: it came while changes are on their way.
            revision = max(watcher.position, self._at.revision)
            at = Point(watcher.view.epoch(self._at.epoch), revision)
            if at not in events:
                events[at] = self._encoder.heartbeat(at)
            self._deliver(watcher, events[at])

    def _by_view(self) -> list[list[Watcher]]:
        if self._alike is None:
            alike: defaultdict[object, list[Watcher]] = defaultdict(list)
            for watcher in self._watchers:
                alike[watcher.view.key].append(watcher)
            self._alike = list(alike.values())
        return self._alike

    def _check_rights(self, changes: Sequence[RecordChange]) -> None:
        for watcher in list(self._watchers):
            if not watcher.allowed():
                self._end(watcher, REVOKED)

    def _end_all(self, reason: str) -> None:
        for watcher in list(self._watchers):
            self._end(watcher, reason)

    def _end(self, watcher: Watcher, reason: str) -> None:
        self.leave(watcher)
        watcher.end(reason)
