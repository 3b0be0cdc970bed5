"""The feed as server-sent events (HTML Standard, §9.2): what is sent, and to whom."""

import contextlib
from collections.abc import AsyncGenerator, Callable

import msgspec

from originmap.api.http.link import Stream, chunk_of
from originmap.api.native.feed.delta_json import delta_json
from originmap.service.access.directory import Caller
from originmap.service.access.sessions import Sessions
from originmap.service.feed.broadcast import REVOKED, Broadcast
from originmap.service.feed.feed import Delta, Feed, Point
from originmap.service.feed.view import View

MEDIA_TYPE = "text/event-stream"
MOST_IN_EVENT = 1_000
"""Changes in an event of what a reader misses: bounds how long making one keeps others waiting."""
_ENCODER = msgspec.json.Encoder()


def event(name: str, point: Point, data: object) -> bytes:
    """An event; its id is the point to resume from."""
    body = _ENCODER.encode(data)
    return b"id: %b-%d\nevent: %b\ndata: %b\n\n" % (
        point.epoch.encode(),
        point.revision,
        name.encode(),
        body,
    )


def changes_event(delta: Delta) -> bytes:
    """An event that tells changes, or that they cannot be told."""
    name = "reset" if delta.reset else "changes"
    return event(name, Point(delta.epoch, delta.revision), delta_json(delta))


class Events:
    """Makes the events of a broadcast, each as a chunk, so that all connections share it."""

    def changes(self, delta: Delta) -> bytes:
        return chunk_of(changes_event(delta))

    def heartbeat(self, now: Point) -> bytes:
        return chunk_of(event("heartbeat", now, {"revision": now.revision}))


class EventWatcher:
    """As `service.feed.broadcast.Watcher`."""

    # Every event looks at all of them: what is small and together is in the processor's cache.
    __slots__ = ("_epoch", "_stream", "allowed", "ended", "live", "position", "revoked", "view")

    def __init__(
        self, stream: Stream, view: View, point: Point, allowed: Callable[[], bool]
    ) -> None:
        self.view = view
        self.allowed = allowed
        self._stream = stream
        self.go_on_from(point)
        self.ended = stream.gone
        self.live = False  # whether it is sent events as they are made
        self.revoked = False

    @property
    def point(self) -> Point:
        """What it was told of last."""
        return Point(self._epoch, self.position)

    def go_on_from(self, point: Point) -> None:
        """It was told everything up to `point`."""
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
        """End it, since its credential has lost its rights."""
        self.revoked = True
        if self.live:
            self.end(REVOKED)


async def watch(
    feed: Feed, broadcast: Broadcast, watcher: EventWatcher, sessions: Sessions, caller: Caller
) -> AsyncGenerator[bytes, None]:
    """The body of a stream: what there is already is yielded; then the watcher is sent the rest,
    until it ends, or `caller` loses the rights that it came with."""
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
    """What the watcher misses, until it joins the others, or the stream or its client is gone."""
    while not watcher.ended.done():
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
