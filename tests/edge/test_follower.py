"""How a follower handles the responses of a feed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from originmap.api.native.feed.delta_json import delta_json
from originmap.domain.errors import AnswerTooLarge, StoreFailed
from originmap.domain.history.snapshot import Part
from originmap.domain.mapping import mapping
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping, Place
from originmap.edge.follow.comparison import Comparison
from originmap.edge.follow.disk_space import within_room
from originmap.edge.follow.feed_client import FeedClient
from originmap.edge.follow.follower import Follower
from originmap.feed.changes_json import DeltaJSON, unseal
from originmap.feed.state_digest import StateDigest
from originmap.service.feed.digests import Digests
from originmap.service.feed.feed import Delta, Point
from originmap.service.feed.replication import Replication
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, new_zone
from tests.waiting import until

ADDRESS = ip("192.0.2.1")


class OfStore(FeedClient):
    """A client of a store's feed, without a network."""

    def __init__(self, source: MemoryStore) -> None:
        super().__init__("http://primary.example", "token", "follower")
        self.source = source
        self.asked: list[int] = []
        self.snapshots = 0
        self.digests = Digests(source)

    async def changes(self, point: Point, limit: int, wait: int) -> DeltaJSON:
        self.asked.append(point.revision)
        return await self.answer(point, limit)

    async def answer(self, point: Point, limit: int, lost: int = 0) -> DeltaJSON:
        await asyncio.sleep(0)
        changes = await self.source.changes(point.revision + lost, limit)
        reached = changes[-1].revision if changes else point.revision
        since_at = await self.source.time_of(point.revision)
        return unseal(
            delta_json(
                Delta(self.source.epoch, point.revision, reached, changes, since_at=since_at)
            )
        )

    async def snapshot(self) -> AsyncIterator[Part]:
        self.snapshots += 1
        async for part in self.source.snapshot():
            yield part

    async def digest(self) -> StateDigest | None:
        return await self.digests.recent()


class LosesOne(OfStore):
    """Omits the first change after those that the replica has."""

    async def changes(self, point: Point, limit: int, wait: int) -> DeltaJSON:
        lost = limit > 1 and point.revision not in self.asked and not self.asked[1:]
        self.asked.append(point.revision)
        return await self.answer(point, limit, lost)


class SendsLittle(OfStore):
    """Sends at most 20 changes in a response."""

    async def changes(self, point: Point, limit: int, wait: int) -> DeltaJSON:
        if limit > 20:
            raise AnswerTooLarge(1)
        return await super().changes(point, limit, wait)


def follower(replica: MemoryStore, client: FeedClient, *args: object) -> Follower:
    return Follower(replica, client, Replication("http://primary.example", lambda: 0), *args)


async def put(store: MemoryStore, address: Address = ADDRESS, place: Place = US_EAST) -> None:
    await store.write(ZONE_ID, (address,), mapping.put(address, place), CAUSE)


async def everything(store: MemoryStore) -> list[Part]:
    return [part async for part in store.snapshot()]


@pytest.fixture
async def source() -> MemoryStore:
    source = MemoryStore()
    await source.write_records(new_zone(), CAUSE)
    await put(source)
    return source


async def test_a_missing_change_causes_one_full_sync_even_with_a_page_prefetched() -> None:
    source, replica = MemoryStore(), MemoryStore()
    await source.write_records(new_zone(), CAUSE)
    await replica.load(source.snapshot())
    for _ in range(3_000):
        for place in (US_EAST, US_WEST):
            await source.write(ZONE_ID, (ADDRESS,), mapping.put(ADDRESS, place), CAUSE)
    client = LosesOne(source)
    await follower(replica, client).catch_up()
    assert (replica.revision, client.snapshots) == (source.revision, 1)
    assert client.asked[-1] == source.revision


async def test_fewer_changes_are_requested_if_they_are_large(source: MemoryStore) -> None:
    replica = MemoryStore()
    await replica.load(source.snapshot())
    for n in range(200):
        await put(source, place=(US_WEST, US_EAST)[n % 2])
    await follower(replica, SendsLittle(source)).catch_up()
    assert await everything(replica) == await everything(source)


async def test_a_state_that_differs_is_detected_by_its_digest_and_replaced(
    source: MemoryStore,
) -> None:
    replica, client = MemoryStore(), OfStore(source)
    await replica.load(source.snapshot())
    comparison = Comparison(replica, client)
    assert await comparison.differs() == ""
    replica._zones[ZONE_ID][ADDRESS] = Mapping(ADDRESS, US_WEST, 1, 1)  # a possible fault of a disk
    assert await comparison.differs() == "mappings"
    following = asyncio.create_task(follower(replica, client, lambda: None, 0.02).run())
    try:
        async with asyncio.timeout(10):
            while await everything(replica) != await everything(source):
                await asyncio.sleep(0.01)
    finally:
        following.cancel()
    assert await comparison.differs() == ""


async def test_a_replica_ahead_of_the_digest_compares_its_earlier_state(
    source: MemoryStore,
) -> None:
    replica, client = MemoryStore(), OfStore(source)
    await replica.load(source.snapshot())
    earlier = await client.digest()
    assert earlier is not None
    await put(source, place=US_WEST)
    await put(source, ip("192.0.2.2"))
    await source.write_records(new_zone("f" * 32, "other.example"), CAUSE)
    await replica.apply(await source.changes(replica.revision, 10))
    assert await client.digest() == earlier  # its digest is valid for a while
    assert await Comparison(replica, client).differs() == ""
    await replica.forget(replica.revision - 1, 100)
    replica._zones.clear()
    assert await Comparison(replica, client).differs() == ""  # the history does not reveal it


async def test_another_change_at_the_last_revision_is_detected_at_any_request(
    source: MemoryStore,
) -> None:
    """The primary can be replaced between two requests, so that neither of them fails."""
    restored, replica, client = MemoryStore(), MemoryStore(), OfStore(source)
    await restored.load(source.snapshot(history=True))
    await put(restored, ip("192.0.2.9"))
    following = asyncio.create_task(follower(replica, client).run())
    try:
        await put(source, place=US_WEST)
        await until(lambda: replica.revision == source.revision)
        assert client.snapshots == 1
        assert (restored.epoch, restored.revision) == (replica.epoch, replica.revision)
        client.source = restored
        await until(lambda: client.snapshots == 2)
        await put(restored, ip("192.0.2.10"))
        await until(lambda: replica.revision == restored.revision)
    finally:
        following.cancel()
    assert client.snapshots == 2
    assert await everything(replica) == await everything(restored)


class SendsTwo(OfStore):
    """Sends snapshots of one database and changes of another, as a load balancer can."""

    def __init__(self, source: MemoryStore, other: MemoryStore) -> None:
        super().__init__(source)
        self.other = other

    async def snapshot(self) -> AsyncIterator[Part]:
        self.snapshots += 1
        async for part in self.other.snapshot():
            yield part


async def test_full_syncs_that_the_changes_do_not_continue_have_a_back_off(
    source: MemoryStore,
) -> None:
    other, replica = MemoryStore(), MemoryStore()
    await other.load(source.snapshot())
    await put(source, place=US_WEST)
    await put(other, ip("192.0.2.9"))
    client = SendsTwo(source, other)
    following = asyncio.create_task(follower(replica, client).run())
    try:
        await until(lambda: client.snapshots == 3)
        assert len(client.asked) <= 3
        client.other = source
        await until(lambda: client.snapshots == 4)
        await put(source, place=US_EAST)
        await until(lambda: replica.revision == source.revision)
    finally:
        following.cancel()
    assert client.snapshots == 4


class Small(MemoryStore):
    """A store on a disk with little free space."""

    def room(self) -> int | None:
        return 5 << 20


async def test_a_snapshot_that_does_not_fit_on_the_disk_is_not_stored(source: MemoryStore) -> None:
    async def zones(count: int) -> AsyncIterator[Part]:
        async for part in source.snapshot():
            for _ in range(count):
                yield part

    fits = [part async for part in within_room(Small(), zones(10))]
    assert len(fits) == 10 * len(await everything(source))
    with pytest.raises(StoreFailed, match="does not fit on the disk: 5 MiB free"):
        async for _part in within_room(Small(), zones(1_000)):
            pass
