"""The change feed as server-sent events (HTML Standard, §9.2)."""

import contextlib
from collections.abc import AsyncGenerator, Callable

import msgspec

from originmap.api.http.link import Stream, chunk_of
from originmap.api.native.feed.delta_json import delta_json
from originmap.service.access.directory import Caller
from originmap.service.access.sessions import Sessions
from originmap.service.feed.broadcast import REPLACED, REVOKED, Broadcast
from originmap.service.feed.feed import Delta, Feed, Point
from originmap.service.feed.view import View

MEDIA_TYPE = "text/event-stream"
MOST_IN_EVENT = 1_000
"""Changes in one event while a client catches up; limits the time that encoding it takes."""
_ENCODER = msgspec.json.Encoder()


def event(name: str, point: Point, data: object) -> bytes:
    """Format an event; its ID is the point to resume from."""
    body = _ENCODER.encode(data)
    return b"id: %b-%d\nevent: %b\ndata: %b\n\n" % (
        point.epoch.encode(),
        point.revision,
        name.encode(),
        body,
    )


def changes_event(delta: Delta) -> bytes:
    """An event with changes, or with a reset of the feed."""
    name = "reset" if delta.reset else "changes"
    return event(name, Point(delta.epoch, delta.revision), delta_json(delta))


class Events:
    """Formats the events of a broadcast, each as one chunk that all connections share."""

    def changes(self, delta: Delta) -> bytes:
        return chunk_of(changes_event(delta))

    def heartbeat(self, now: Point) -> bytes:
        return chunk_of(event("heartbeat", now, {"revision": now.revision}))


class EventWatcher:
    """One client of the event stream."""

    # Each event visits every watcher: small objects stay in the processor's cache.
    __slots__ = ("_epoch", "_stream", "allowed", "ended", "live", "position", "revoked", "view")

    def __init__(
        self, stream: Stream, view: View, point: Point, allowed: Callable[[], bool]
    ) -> None:
        self.view = view
        self.allowed = allowed
        self._stream = stream
        self.go_on_from(point)
        self.ended = stream.gone
        self.live = False  # whether it has caught up and gets events directly
        self.revoked = False

    @property
    def point(self) -> Point:
        """The point of the last event sent."""
        return Point(self._epoch, self.position)

    def go_on_from(self, point: Point) -> None:
        """Record that everything up to `point` was sent."""
        self._epoch, self.position = point

    @property
    def unsent(self) -> int:
        return self._stream.unsent

    def send(self, event: bytes) -> None:
        self._stream.write(event)

    def end(self, reason: str) -> None:
        if not self.ended.done():
            self.send(chunk_of(self.end_event(reason)))
            self._stream.lost()

    def end_event(self, reason: str) -> bytes:
        """The last event of a stream."""
        return event("end", self.point, {"reason": reason})

    def revoke(self) -> None:
        """End the stream, because its credential has lost its permissions."""
        self.revoked = True
        if self.live:
            self.end(REVOKED)


async def watch(
    feed: Feed, broadcast: Broadcast, watcher: EventWatcher, sessions: Sessions, caller: Caller
) -> AsyncGenerator[bytes, None]:
    """The body of a stream: yields the changes so far; then the watcher sends the rest, until it
    ends or `caller` loses its permissions."""
    session = sessions.open(caller, watcher.revoke)
    try:
        yield b": originmap\n\n"
        async with contextlib.aclosing(_catch_up(feed, broadcast, watcher)) as events:
            async for each in events:
                yield each
        if watcher.live:
            await watcher.ended
    finally:
        session.close()
        broadcast.leave(watcher)


async def _catch_up(
    feed: Feed, broadcast: Broadcast, watcher: EventWatcher
) -> AsyncGenerator[bytes, None]:
    """The changes that the watcher missed, until it has caught up, the stream ends, or the client
    disconnects."""
    generation = feed.generation
    while not watcher.ended.done():
        if feed.generation != generation:  # the changes so far may be of another database
            yield watcher.end_event(REPLACED)
            return
        delta = await feed.after(watcher.point, watcher.view, MOST_IN_EVENT)
        if watcher.revoked or not watcher.allowed():
            yield watcher.end_event(REVOKED)
            return
        if delta.changes or delta.reset:
            yield changes_event(delta)
        if delta.reset or feed.stopped:
            return
        watcher.go_on_from(Point(delta.epoch, delta.revision))
        if not delta.changes and broadcast.join(watcher):
            watcher.live = True
            return
