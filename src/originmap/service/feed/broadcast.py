"""Sends each commit to all watchers as soon as it is committed.

An event is encoded once for all watchers with the same view, and written to their connections
directly, without a task per watcher: a thousand watchers cost a thousand socket writes. A watcher
that does not read in time is disconnected, and can resume from the last point it received.
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
"""Limit of unsent bytes of one watcher."""
_CHUNK = 500

SLOW = "too slow: resume from the last id"
REVOKED = "the credential has changed: ask again"
STOPPING = "the server stops: ask again"
REPLACED = "the database was replaced: ask again"
FAILED = "the changes could not be read: ask again"


class Watcher(Protocol):
    """A connection that receives changes."""

    view: View
    position: int  # the last revision sent to it

    @property
    def unsent(self) -> int:
        """The number of bytes that are not sent yet."""

    def allowed(self) -> bool:
        """Report whether its credential still has the permissions it had at the start."""

    def send(self, event: bytes) -> None:
        """Send an event."""

    def end(self, reason: str) -> None:
        """Send a last event with the reason, and close."""


class Encoder(Protocol):
    """Encodes events."""

    def changes(self, delta: Delta) -> bytes:
        """Encode an event with changes."""

    def heartbeat(self, now: Point) -> bytes:
        """Encode an event with the current point, which shows that the connection is alive."""


class Broadcast:
    """The watchers of the change feed."""

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
        self._alike: list[list[Watcher]] | None = None  # by view, until a watcher joins or leaves
        self._task: asyncio.Task[None] | None = None
        self._at = Point("", 0)
        self._last_time: int | None = None  # of the change at that point
        self._generation = 0
        self._heartbeat_at = 0.0
        store.follow_records(self._check_rights)

    @property
    def count(self) -> int:
        """The number of watchers."""
        return len(self._watchers)

    def join(self, watcher: Watcher) -> bool:
        """Send `watcher` everything after its position from now on. Return False if its position is
        behind what other watchers have received: it must catch up first."""
        if self._feed.stopped:
            watcher.end(STOPPING)
            return True
        if self._watchers and self._store.generation != self._generation:
            self._end_all(REPLACED)
        if not self._watchers:
            self._at, self._last_time = Point(self._store.epoch, watcher.position), None
            self._generation = self._store.generation
        if watcher.position < self._at.revision:
            return False
        self._watchers.add(watcher)
        self._alike = None
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return True

    def leave(self, watcher: Watcher) -> None:
        """Stop sending to `watcher`."""
        self._watchers.discard(watcher)
        self._alike = None

    async def _run(self) -> None:
        now = asyncio.get_running_loop().time
        self._heartbeat_at = now() + self._heartbeat_seconds
        try:
            while self._watchers and not self._feed.stopped:
                left = self._heartbeat_at - now()
                if left <= 0:  # heartbeats are on time even under constant writes
                    self._heartbeat_at = now() + self._heartbeat_seconds
                    self._send_heartbeat()
                elif await self._feed.changed(self._at.revision, left):
                    await self._send_changes()
        except StoreError as error:
            _LOG.error("streams end", extra={"data": {"why": str(error)}})
        finally:
            self._task = None
            # End all watchers on any error: without this task they would not even get heartbeats.
            self._end_all(STOPPING if self._feed.stopped else FAILED)

    async def _send_changes(self) -> None:
        changes = await self._store.changes(self._at.revision, _CHUNK)
        if self._feed.reset(self._at) or self._store.generation != self._generation:
            self._end_all(REPLACED)
            return
        if not changes:
            return
        since, self._at = self._at.revision, Point(self._at.epoch, changes[-1].revision)
        since_at, self._last_time = self._last_time, changes[-1].at
        for alike in self._by_view():
            view = alike[0].view
            visible = await view.of(changes, self._zones)
            event = self._event(since, visible, view, since_at if view.complete else None)
            self._send(alike, since, visible, event)

    def _send(
        self, alike: Sequence[Watcher], since: int, visible: Sequence[Change], event: bytes
    ) -> None:
        reached = self._at.revision
        for watcher in alike:
            if watcher.position > since:  # it joined while these changes were read
                self._deliver(watcher, self._event(watcher.position, visible, watcher.view))
                watcher.position = max(watcher.position, reached)
            else:
                self._deliver(watcher, event)
                watcher.position = reached

    def _event(
        self, since: int, visible: Sequence[Change], view: View, since_at: int | None = None
    ) -> bytes:
        changes = [change for change in visible if change.revision > since]
        if not changes:
            return b""
        epoch, revision = self._at
        delta = Delta(view.epoch(epoch), since, revision, changes, since_at=since_at)
        return self._encoder.changes(delta)

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
            # A watcher that joined while changes are being sent may be ahead.
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
