"""Publishes a server's change feed to a stream in JetStream.

The publisher has no state of its own: it continues after the last message of the stream. It starts
the stream over, with a new snapshot, if the server cannot send the changes since then, or has
another change at that revision.
"""

import asyncio
import contextlib
import logging
import math
import tempfile
import time
from dataclasses import dataclass

from originmap.domain.errors import FeedError, PrimaryGone
from originmap.domain.history.snapshot import SnapshotStart
from originmap.edge.follow.feed_client import FeedClient
from originmap.feed.changes_json import DeltaJSON
from originmap.feed.state_digest import StateDigest
from originmap.jetstream import messages
from originmap.jetstream.connection import (
    NatsAccess,
    NatsConnection,
    as_feed_errors,
    check_cancelled,
    connected,
)
from originmap.jetstream.messages import Heartbeat
from originmap.jetstream.report_receiver import ReportReceiver
from originmap.jetstream.snapshots import SnapshotBucket, compress
from originmap.jetstream.stream import ChangeStream, MessageTooLarge, Position
from originmap.service.feed.feed import Point

_LOG = logging.getLogger(__name__)
_PORTION = 5_000
_WAIT_SECONDS = 5
HEARTBEAT_SECONDS = 3.0
_DIGEST_SECONDS = 300.0
_SNAPSHOT_SECONDS, _LONGEST_SNAPSHOT = 3600.0, 24 * 3600.0
_SNAPSHOT_CHANGES = 100_000
"""A new snapshot is stored after the first time if anything has changed, after the second in any
case, because copies of the bucket forget old ones, and after this many changes."""
_LONGEST_PAUSE = 5.0
LOOK_SECONDS = 5.0
_TURNS, _TURN_SECONDS = 100, 0.1
"""How long to wait until the stream has the revision of a snapshot."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """`messages` is the number that the stream keeps, `replicas` that of servers that store it."""

    messages: int
    replicas: int


class Publisher:
    """Publishes one server's feed to one stream."""

    def __init__(
        self, access: NatsAccess, client: FeedClient, name: str, limits: StreamLimits
    ) -> None:
        self._access = access
        self._client = client
        self._name = name
        self._limits = limits
        self._position: Position | None = None
        self._epoch = ""  # of the database that this process has published
        self._problem = ""  # the last one in the log
        self._unreachable = ""  # why the server cannot be followed
        self._contact = -math.inf
        self._digest: StateDigest | None = None
        self._storing = asyncio.Lock()  # while a snapshot is stored

    async def run(self) -> None:
        """Publish until cancelled."""
        pause = 0.1
        while True:
            try:
                await self._publish()
            except FeedError as error:
                if self._position is not None:
                    pause = 0.1
                self._report(error)
            self._position = None
            check_cancelled()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _publish(self) -> None:
        """Publish until the connection is lost."""
        async with connected(self._access, self._name) as connection:
            stream = ChangeStream(connection, self._access.url.stream)
            bucket = SnapshotBucket(connection, self._access.url.stream)
            await stream.prepare(self._limits.messages, self._limits.replicas)
            await bucket.prepare(self._limits.replicas)
            await ReportReceiver(self._client).serve(connection, self._access.url.stream)
            check_cancelled()
            work = (
                connection.watch(),
                self._keep_following(connection, stream, bucket),
                self._keep_snapshots(connection, stream, bucket),
                self._send_heartbeats(connection),
                self._fetch_digests(),
            )
            tasks = [asyncio.create_task(each) for each in work]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    if task.done():
                        task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_following(
        self, connection: NatsConnection, stream: ChangeStream, bucket: SnapshotBucket
    ) -> None:
        pause = 0.1
        while True:
            try:
                with as_feed_errors():
                    await self._follow(stream, bucket)
            except FeedError as error:
                if connection.is_lost:
                    raise
                if not self._problem:
                    pause = 0.1
                self._report(error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _follow(self, stream: ChangeStream, bucket: SnapshotBucket) -> None:
        """Publish changes until the stream must start over, or an error."""
        position = await stream.last()
        if position is not None:
            await stream.remove_earlier_runs()
        reason = await self._why_start_over(position, bucket)
        if reason or position is None:
            position = await self._start_over(stream, bucket, reason)
        self._position, self._epoch = position, position.epoch
        wait = 0
        while True:
            check_cancelled()
            delta = await self._changes(position.point, _PORTION, wait)
            self._problem = ""
            if delta.reset or not delta.follows(position.at):
                return  # the next call finds the reason
            try:
                appended = await stream.append(position, delta.changes)
            except MessageTooLarge:
                appended = await self._start_over(stream, bucket, "a change is too large for NATS")
            if appended is None:
                raise self._taken()
            self._position = position = appended
            wait = _WAIT_SECONDS

    async def _why_start_over(self, position: Position | None, bucket: SnapshotBucket) -> str:
        """The reason why the stream cannot continue; "" if it can."""
        if position is None:
            return "the stream is new"
        delta = await self._changes(position.point, 1, 0)
        if delta.reset:
            if self._epoch not in ("", position.epoch):
                gone = PrimaryGone("another publisher has stored another database in the stream")
                gone.hint = "stop one of the publishers, or use another --stream"
                raise gone
            return delta.reason or "a reset"
        snapshot = await bucket.newest()
        if snapshot is None or snapshot.epoch != position.epoch:
            return "the stream has no snapshot"
        if not delta.follows(position.at):
            return f"the server has another change {position.revision}"
        return ""

    async def _changes(self, point: Point, limit: int, wait: int) -> DeltaJSON:
        try:
            delta = await self._client.changes(point, limit, wait)
        except FeedError as error:
            self._unreachable = str(error)
            raise
        self._contact, self._unreachable = time.monotonic(), ""
        return delta

    async def _start_over(
        self, stream: ChangeStream, bucket: SnapshotBucket, reason: str
    ) -> Position:
        """Store a snapshot, and begin the stream after it."""
        _LOG.warning("starting the stream over", extra={"data": {"why": reason}})
        async with self._storing:
            self._position = None
            with tempfile.TemporaryFile() as file:
                start = await compress(self._client.snapshot(), file)
                await bucket.put(file, start)
            position = await stream.start_over(start, reason)
        if position is None:
            raise self._taken()
        _LOG.warning("stored a snapshot", extra={"data": {"revision": position.revision}})
        return position

    async def _keep_snapshots(
        self, connection: NatsConnection, stream: ChangeStream, bucket: SnapshotBucket
    ) -> None:
        """Store new snapshots, so that readers find the changes after the newest in the stream."""
        stored_at = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                with as_feed_errors():
                    age = time.monotonic() - stored_at
                    if await self._needs_snapshot(stream, bucket, age):
                        await self._store_snapshot(bucket)
                        stored_at = time.monotonic()
            except FeedError as error:
                if connection.is_lost:
                    raise
                _LOG.warning("cannot store a snapshot", extra={"data": {"why": str(error)}})

    async def _needs_snapshot(
        self, stream: ChangeStream, bucket: SnapshotBucket, age: float
    ) -> bool:
        position = self._position
        if position is None:
            return False
        newest = await bucket.newest()
        if newest is None or newest.epoch != position.epoch:
            return True
        behind = position.revision - newest.revision
        most = min(_SNAPSHOT_CHANGES, self._limits.messages // 2)
        old = age > (_SNAPSHOT_SECONDS if behind else _LONGEST_SNAPSHOT)
        return old or behind >= most or await stream.oldest() > newest.revision

    async def _store_snapshot(self, bucket: SnapshotBucket) -> None:
        with tempfile.TemporaryFile() as file:
            start = await compress(self._client.snapshot(), file)
            for _ in range(_TURNS):
                async with self._storing:
                    if self._has(start):
                        await bucket.put(file, start)
                        _LOG.info("stored a snapshot", extra={"data": {"revision": start.revision}})
                        return
                await asyncio.sleep(_TURN_SECONDS)

    def _has(self, start: SnapshotStart) -> bool:
        """Whether the stream has the revision of a snapshot, so that readers can continue there."""
        position = self._position
        if position is None or position.epoch != start.epoch:
            return False
        if position.revision == start.revision:
            return position.at == start.at
        return position.revision > start.revision

    async def _send_heartbeats(self, connection: NatsConnection) -> None:
        subject = messages.heartbeat_subject(self._access.url.stream)
        while True:
            position = self._position
            if position is not None:
                age = self._client.age + time.monotonic() - self._contact
                heartbeat = Heartbeat(
                    position.epoch,
                    position.revision,
                    age if math.isfinite(age) else None,
                    self._unreachable,
                    self._digest,
                )
                await connection.client.publish(subject, messages.encode_heartbeat(heartbeat))
                check_cancelled()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _fetch_digests(self) -> None:
        while True:
            with contextlib.suppress(FeedError):  # following meets the same error and reports it
                self._digest = await self._client.digest()
            await asyncio.sleep(_DIGEST_SECONDS)

    def _report(self, error: FeedError) -> None:
        if str(error) != self._problem:
            self._problem = str(error)
            data = {"why": str(error), "do": error.hint}
            _LOG.warning("cannot publish", extra={"data": data})

    def _taken(self) -> PrimaryGone:
        self._position = None  # the heartbeats are those of the other publisher
        gone = PrimaryGone("another publisher writes to the stream")
        gone.hint = "this one continues if the other stops"
        return gone
