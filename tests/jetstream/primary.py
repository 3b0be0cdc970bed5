"""A primary in this process, its publisher, and nodes that follow a real stream."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator

import msgspec

from originmap.api.native.feed.delta_json import delta_json
from originmap.domain.access.permissions import Grants
from originmap.domain.errors import PrimaryGone
from originmap.domain.history.snapshot import Part
from originmap.domain.mapping import batch, mapping
from originmap.domain.mapping.mapping import Place
from originmap.domain.nats_url import parse_nats
from originmap.edge.follow.comparison import Comparison
from originmap.edge.follow.feed_client import FeedClient
from originmap.edge.follow.follower import Follower
from originmap.feed.changes_json import DeltaJSON, SealedDelta, unseal
from originmap.feed.state_digest import StateDigest
from originmap.jetstream.connection import NatsAccess, connected
from originmap.jetstream.messages import StreamMessage, decode_message
from originmap.jetstream.publisher import Publisher, StreamLimits
from originmap.jetstream.source import JetStreamSource
from originmap.service.access.directory import Directory
from originmap.service.feed.digests import Digests
from originmap.service.feed.feed import Feed, Point
from originmap.service.feed.followers import Report
from originmap.service.feed.replication import Replication
from originmap.service.feed.view import View
from originmap.service.history.past_zones import PastZones
from originmap.store.clock import wall_clock
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, US_EAST, ZONE_ID, ip, new_zone

LIMITS = StreamLimits(messages=1_000, replicas=1)


class Primary(FeedClient):
    """A database, and a client of its feed without a network."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        super().__init__("http://primary.example", "token", "publisher")
        self.store = store or MemoryStore()
        self.feed = Feed(self.store, PastZones(self.store, Directory()))
        self.reports: dict[str, Report] = {}
        self.snapshots = 0
        self.unreachable = ""
        self._view = View("replica", Grants([]), whole=True)

    async def furnish(self) -> None:
        """Create a zone."""
        await self.store.write_records(new_zone(), CAUSE)

    async def put(self, text: str, place: Place = US_EAST, zone_id: str = ZONE_ID) -> None:
        """Write a mapping."""
        address = ip(text)
        await self.store.write(zone_id, (address,), mapping.put(address, place), CAUSE)

    async def put_many(self, texts: Iterable[str]) -> None:
        """Write mappings with one request."""
        addresses = [ip(text) for text in texts]
        upserts = batch.Outcome(dict.fromkeys(addresses, US_EAST), ())
        await self.store.write(ZONE_ID, addresses, batch.upsert(upserts), CAUSE)

    async def changes(self, point: Point, limit: int, wait: int) -> DeltaJSON:
        delta = await self.feed.wait(point, self._view, limit, min(wait, 1))
        if self.unreachable:
            raise PrimaryGone(self.unreachable)
        self.age = 0.0
        encoded = msgspec.json.encode(delta_json(delta))
        return unseal(msgspec.json.decode(encoded, type=SealedDelta))

    async def snapshot(self) -> AsyncIterator[Part]:
        self.snapshots += 1
        async for part in self.store.snapshot():
            yield part

    async def digest(self) -> StateDigest | None:
        return await Digests(self.store).recent()

    async def report(self, report: Report, name: str = "") -> None:
        self.reports[name] = report


class Node:
    """A node with its own store."""

    def __init__(self, access: NatsAccess, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        self.replication = Replication(str(access.url), wall_clock)
        self.source = JetStreamSource(access, "node-1", 1 << 30, of_nodes=True)
        self.follower = Follower(self.store, self.source, self.replication)
        self.comparison = Comparison(self.store, self.source)


def access_to(address: str, stream: str) -> NatsAccess:
    """Access without credentials."""
    return NatsAccess(parse_nats(f"{address}/{stream}"))


@contextlib.asynccontextmanager
async def publishing(
    primary: FeedClient, access: NatsAccess, limits: StreamLimits = LIMITS
) -> AsyncIterator[None]:
    """A publisher at work."""
    async with running(Publisher(access, primary, "publisher", limits).run()):
        yield


@contextlib.asynccontextmanager
async def following(access: NatsAccess, store: MemoryStore | None = None) -> AsyncIterator[Node]:
    """A node at work."""
    node = Node(access, store)
    async with node.source, running(node.follower.run()):
        yield node


@contextlib.asynccontextmanager
async def running(work: object) -> AsyncIterator[None]:
    """A task at work."""
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def stored(access: NatsAccess) -> list[tuple[str, dict[str, str], StreamMessage]]:
    """Everything in the stream, in order: subject, headers and message."""
    found = []
    async with connected(access, "test") as connection:
        streams, name = connection.streams, access.url.stream
        state = (await streams.stream_info(name)).state
        for sequence in range(state.first_seq, state.last_seq + 1):
            raw = await streams.get_msg(name, sequence)
            headers = raw.headers or {}
            message = decode_message(raw.data or b"", headers.get("Content-Encoding", ""))
            found.append((raw.subject or "", headers, message))
    return found


def gaps(messages: Iterator[StreamMessage]) -> list[tuple[int, int]]:
    """Places at which the revisions do not follow each other."""
    wrong, last = [], None
    for message in messages:
        if last is not None and message.since != last:
            wrong.append((last, message.since))
        last = message.revision
    return wrong
