"""Follows a stream in JetStream, as `FeedClient` follows a server over HTTP."""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator
from types import TracebackType

import msgspec
import nats.aio.msg

from originmap.domain.errors import BrokenFeed, PrimaryGone, PrimaryRefused
from originmap.domain.history.snapshot import EDGE, WHOLE, Part, SnapshotStart
from originmap.domain.number import whole
from originmap.edge.follow import bounded_reader
from originmap.edge.follow.feed_client import LONGEST_LINE
from originmap.feed.changes_json import DeltaJSON
from originmap.feed.snapshot_json import read_lines
from originmap.feed.state_digest import StateDigest
from originmap.jetstream import messages
from originmap.jetstream.connection import (
    ANSWER_SECONDS,
    NatsAccess,
    NatsConnection,
    as_feed_errors,
    connected,
)
from originmap.jetstream.messages import Heartbeat
from originmap.jetstream.reader import StreamReader, StreamRestarted
from originmap.jetstream.snapshots import SnapshotBucket
from originmap.service.feed.feed import Point
from originmap.service.feed.followers import Report

SILENT_SECONDS = 15.0
"""Without a heartbeat for this time, the publisher counts as unreachable."""
LONGEST_WAIT = 3
"""Seconds that a read waits; the age of an idle follower grows by up to this more."""


class JetStreamSource:
    """A follower's side of one stream; an async context manager. It connects when needed."""

    def __init__(self, access: NatsAccess, name: str, most: int, *, of_nodes: bool = False) -> None:
        """`name` is this follower's name; `most` is the limit of a snapshot in bytes; `of_nodes`
        accepts the edge form of the feed, without credentials."""
        self._access = access
        self._stream = access.url.stream
        self._name = name
        self._most = most
        self._forms = (WHOLE, EDGE) if of_nodes else (WHOLE,)
        self._exit = contextlib.AsyncExitStack()
        self._connection: NatsConnection | None = None
        self._connecting = asyncio.Lock()
        self._reader: StreamReader | None = None
        self._heartbeat: Heartbeat | None = None
        self._heard_at = 0.0
        self._as_of, self._age_then = 0.0, math.inf
        self._behind: tuple[Point, float] | None = None  # since when this point is not the last

    async def __aenter__(self) -> "JetStreamSource":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._disconnect()

    @property
    def age(self) -> float:
        """See `FeedSource`: the time since the last heartbeat with this state, and its age."""
        return time.monotonic() - self._as_of + self._age_then

    async def changes(self, point: Point, limit: int, wait: int) -> DeltaJSON:
        """See `FeedSource`."""
        connection = await self._connected()
        reader, self._reader = self._reader, None  # used again only after a complete read
        with as_feed_errors():
            if reader is None or reader.point != point:
                if reader is not None:
                    await reader.close()
                found = await StreamReader.at(connection, self._stream, point)
                if isinstance(found, str):
                    return _reset(point, found)
                reader = found
            since_at = reader.point_at
            try:
                changes = await reader.read(limit, min(wait, LONGEST_WAIT))
                self._reader = reader
            except StreamRestarted as restarted:
                return _reset(point, str(restarted))
            finally:
                if self._reader is not reader:
                    await reader.close()
        if len(changes) < limit:
            self._note_age(reader.point)
        if not changes:
            self._check_publisher(reader.point)
        epoch, revision = reader.point
        return DeltaJSON(epoch, point.revision, revision, False, changes, since_at=since_at)

    async def digest(self) -> StateDigest | None:
        """See `FeedSource`: the digest of the last heartbeat."""
        return self._heartbeat.digest if self._heartbeat else None

    async def report(self, report: Report, name: str = "") -> None:
        """See `FeedSource`: the publisher passes it on to the server."""
        connection = await self._connected()
        with as_feed_errors():
            answer = await connection.until_lost(
                connection.client.request(
                    messages.report_subject(self._stream, name or self._name),
                    msgspec.json.encode(report),
                    ANSWER_SECONDS,
                )
            )
        if answer.data:
            status, _, text = answer.data.decode("utf-8", "replace").partition(" ")
            raise PrimaryRefused(whole(status, 400, 599) or 500, text)

    async def snapshot(self) -> AsyncIterator[Part]:
        """See `FeedSource`."""
        connection = await self._connected()
        bucket = SnapshotBucket(connection, self._stream)
        with as_feed_errors():
            pieces = bounded_reader.within(bounded_reader.decompressed(bucket.read()), self._most)
            async for part in read_lines(bounded_reader.lines(pieces, LONGEST_LINE)):
                if isinstance(part, SnapshotStart) and part.form not in self._forms:
                    broken = BrokenFeed(f"the stream has the {part.form} form of the feed only")
                    broken.hint = "follow a stream of a publisher with a token --access replicate"
                    raise broken
                yield part

    async def _connected(self) -> NatsConnection:
        async with self._connecting:
            if self._connection is not None and self._connection.is_lost:
                await self._disconnect()
            if self._connection is None:
                self._connection = await self._exit.enter_async_context(
                    connected(self._access, self._name)
                )
                with as_feed_errors():
                    await self._connection.client.subscribe(
                        messages.heartbeat_subject(self._stream), cb=self._on_heartbeat
                    )
                self._heard_at = time.monotonic()
            return self._connection

    async def _disconnect(self) -> None:
        self._connection = self._reader = None
        await self._exit.aclose()

    async def _on_heartbeat(self, message: nats.aio.msg.Msg) -> None:
        with contextlib.suppress(BrokenFeed):  # it counts as missing
            self._heartbeat = messages.decode_heartbeat(message.data)
            self._heard_at = time.monotonic()

    def _note_age(self, reached: Point) -> None:
        """Note the age of the state at `reached`, the end of the stream so far."""
        heartbeat = self._heartbeat
        if heartbeat is None or heartbeat.epoch != reached.epoch:
            return
        if heartbeat.revision <= reached.revision:
            self._as_of, self._behind = self._heard_at, None
            self._age_then = math.inf if heartbeat.age is None else heartbeat.age

    def _check_publisher(self, reached: Point) -> None:
        """Raise PrimaryGone if the publisher is silent or cannot follow its server, or if its
        changes do not arrive."""
        heartbeat, now = self._heartbeat, time.monotonic()
        if now - self._heard_at > SILENT_SECONDS:
            gone = PrimaryGone(f"no heartbeat of the publisher for {SILENT_SECONDS:.0f} s")
            gone.hint = "check that originmap publish nats runs, and the permissions of this user"
            raise gone
        if heartbeat is None:
            return
        if heartbeat.problem:
            raise PrimaryGone(f"the publisher cannot follow the server: {heartbeat.problem}")
        if heartbeat.epoch == reached.epoch and heartbeat.revision <= reached.revision:
            return
        if self._behind is None or self._behind[0] != reached:
            self._behind = (reached, now)
        elif now - self._behind[1] > SILENT_SECONDS:
            self._behind = None
            if self._reader is not None:
                self._reader.discard()
            raise PrimaryGone(f"changes up to revision {heartbeat.revision} do not arrive")


def _reset(point: Point, reason: str) -> DeltaJSON:
    return DeltaJSON(point.epoch, point.revision, point.revision, True, [], reason)
