"""What a follower does with the answers of a feed."""

from collections.abc import AsyncIterator

from originmap.domain import mapping
from originmap.domain.snapshot import Part
from originmap.edge.feed_client import FeedClient
from originmap.edge.follower import Follower
from originmap.feed.changes_json import DeltaJSON, changes_json
from originmap.service.feed import Point
from originmap.service.replication import Replication
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, new_zone

ADDRESS = ip("192.0.2.1")


class LosesOne(FeedClient):
    """The feed of a store, which leaves out the first change that it is asked for."""

    def __init__(self, source: MemoryStore) -> None:
        super().__init__("http://primary.example", "token", "follower")
        self.source = source
        self.asked: list[int] = []
        self.snapshots = 0

    async def changes(self, point: Point, limit: int, wait: int) -> DeltaJSON:
        lost = not self.asked
        self.asked.append(point.revision)
        changes = await self.source.changes(point.revision + lost, limit)
        reached = changes[-1].revision if changes else point.revision
        return DeltaJSON(
            self.source.epoch, point.revision, reached, reset=False, changes=changes_json(changes)
        )

    async def snapshot(self) -> AsyncIterator[Part]:
        self.snapshots += 1
        async for part in self.source.snapshot():
            yield part


async def test_one_snapshot_is_taken_where_a_change_is_missing_and_more_were_asked_for() -> None:
    source, replica = MemoryStore(), MemoryStore()
    await source.write_records(new_zone(), CAUSE)
    await replica.load(source.snapshot())
    for _ in range(3_000):
        for place in (US_EAST, US_WEST):
            await source.write(ZONE_ID, (ADDRESS,), mapping.put(ADDRESS, place), CAUSE)
    client = LosesOne(source)
    await Follower(replica, client, Replication("http://primary.example", lambda: 0)).catch_up()
    assert (replica.revision, client.snapshots) == (source.revision, 1)
    assert client.asked[-1] == source.revision
