"""Snapshots in the object store of JetStream.

The bucket has the name of the stream, and two objects that are replaced in turns, so that a reader
of the newest is not interrupted by the next. An object is a snapshot in the form of
`feed.snapshot_json`, compressed with gzip; its description is a `StoredSnapshot` as JSON.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import IO

import msgspec
import nats.js.api
import nats.js.errors

from originmap.domain.errors import BrokenFeed, PrimaryGone
from originmap.domain.history.snapshot import Part, SnapshotStart
from originmap.feed.snapshot_json import write_lines
from originmap.jetstream.connection import ANSWER_SECONDS, NatsConnection, check_cancelled

_NAMES = ("snapshot-0", "snapshot-1")
_GZIP = 31  # zlib's wbits for the gzip format, RFC 1952
_PIECE = 1 << 17
_ABANDONED = timedelta(hours=1)
"""Parts of an object that was never completed are removed after this time."""


class StoredSnapshot(msgspec.Struct, frozen=True):
    """A snapshot of `epoch` at `revision`, with the time of that revision. The one with the highest
    `number` is the newest."""

    number: int
    epoch: str
    revision: int
    at: int


_DESCRIPTION = msgspec.json.Decoder(StoredSnapshot)


class SnapshotBucket:
    """The snapshots of one stream."""

    def __init__(self, connection: NatsConnection, stream: str) -> None:
        self._connection = connection
        self._streams = connection.streams
        self._bucket, self._stream = stream, f"OBJ_{stream}"

    async def prepare(self, replicas: int) -> None:
        """Create the bucket if it does not exist; otherwise remove incomplete objects."""
        try:
            parts = await self._streams.stream_info(
                self._stream, subjects_filter=f"$O.{self._bucket}.C.>"
            )
        except nats.js.errors.NotFoundError:
            await self._streams.create_object_store(self._bucket, replicas=replicas)
            return
        used = {self._chunks(info.nuid) for _, info in await self._all()}
        for subject in set(parts.state.subjects or ()) - used:
            last = await self._streams.get_last_msg(self._stream, subject)
            if last.time is None or datetime.now(UTC) - last.time > _ABANDONED:
                await self._streams.purge_stream(self._stream, subject=subject)

    async def newest(self) -> StoredSnapshot | None:
        """The newest snapshot; None without one."""
        found = [stored for stored, _ in await self._all()]
        return max(found, key=lambda stored: stored.number, default=None)

    async def put(self, file: IO[bytes], start: SnapshotStart) -> StoredSnapshot:
        """Store a file that `compress` wrote, in place of the older one of two."""
        newest = await self.newest()
        number = newest.number + 1 if newest else 1
        stored = StoredSnapshot(number, start.epoch, start.revision, start.at)
        bucket = await self._streams.object_store(self._bucket)
        meta = nats.js.api.ObjectMeta(description=msgspec.json.encode(stored).decode())
        file.seek(0)
        put = bucket.put(_NAMES[number % 2], file, meta)  # type: ignore[arg-type]  # it has readinto
        await self._connection.until_lost(put)
        return stored

    async def read(self) -> AsyncIterator[bytes]:
        """The bytes of the newest snapshot, compressed. Raises PrimaryGone."""
        found = await self._all()
        if not found:
            gone = PrimaryGone("the stream has no snapshot yet")
            gone.hint = "start originmap publish nats, and look at its log"
            raise gone
        _, info = max(found, key=lambda each: each[0].number)
        chunks = await self._streams.subscribe(
            self._chunks(info.nuid), stream=self._stream, ordered_consumer=True
        )
        try:
            for _ in range(info.chunks or 0):
                yield (await chunks.next_msg(ANSWER_SECONDS)).data
                check_cancelled()
        finally:
            if not self._connection.is_lost:
                await chunks.unsubscribe()

    def _chunks(self, nuid: str) -> str:
        return f"$O.{self._bucket}.C.{nuid}"

    async def _all(self) -> list[tuple[StoredSnapshot, nats.js.api.ObjectInfo]]:
        bucket = await self._streams.object_store(self._bucket)
        found = []
        for name in _NAMES:
            try:
                info = await bucket.get_info(name)
            except nats.js.errors.ObjectNotFoundError:
                continue
            try:
                found.append((_DESCRIPTION.decode(info.description or ""), info))
            except msgspec.MsgspecError as error:
                raise BrokenFeed(f"the object {name} is not from Originmap: {error}") from None
        return found


async def compress(parts: AsyncIterator[Part], file: IO[bytes]) -> SnapshotStart:
    """Write a snapshot to a file, compressed; return its start."""
    start: SnapshotStart | None = None

    async def noted() -> AsyncIterator[Part]:
        nonlocal start
        async for part in parts:
            if isinstance(part, SnapshotStart):
                start = part
            yield part

    compressor = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    waiting = bytearray()
    async for line in write_lines(noted()):
        waiting += compressor.compress(line)
        if len(waiting) >= _PIECE:
            await asyncio.to_thread(file.write, bytes(waiting))
            waiting.clear()
    await asyncio.to_thread(file.write, bytes(waiting) + compressor.flush())
    await asyncio.to_thread(file.flush)
    assert start is not None
    return start
