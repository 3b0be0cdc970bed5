"""Followers of a feed under load get every change without a reset."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from originmap.domain.access.permissions import Grants
from originmap.domain.history.change import Change
from originmap.domain.mapping.mapping import put
from originmap.service.access.directory import Directory
from originmap.service.feed.feed import Feed, Point
from originmap.service.feed.view import View
from originmap.service.history.past_zones import PastZones
from originmap.store.memory import MemoryStore
from originmap.store.port import Store
from originmap.store.sqlite.store import SqliteStore
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, new_zone

WHOLE = View("root", Grants([]), whole=True)
WRITERS, SECONDS = 10, 1.0


@pytest.fixture
async def primary(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "primary.db")
    await store.write_records(new_zone(), CAUSE)
    yield store
    await store.close()


@pytest.mark.parametrize("rate", [20, 300, 3_000])
async def test_replicas_get_the_complete_history_at_any_rate(
    primary: SqliteStore, tmp_path: Path, rate: int
) -> None:
    feed = Feed(primary, PastZones(primary, Directory()))
    replicas: list[Store] = [MemoryStore(), MemoryStore(), SqliteStore(tmp_path / "replica.db")]
    for replica in replicas:
        await replica.load(primary.snapshot())
    following = [asyncio.create_task(follow(feed, primary, replica)) for replica in replicas]
    await asyncio.gather(*(write(primary, rate / WRITERS, n) for n in range(WRITERS)))
    feed.stop()
    resets = [reset for each in following for reset in await each]
    assert resets == []
    for replica in replicas:
        assert await history(replica, 1) == await history(primary, 1)
        await replica.close()


async def follow(feed: Feed, primary: Store, replica: Store) -> list[str]:
    """Apply changes until the feed stops and none are left; return the reasons of resets."""
    resets = []
    while True:
        stopped = feed.stopped
        delta = await feed.wait(Point(replica.epoch, replica.revision), WHOLE, 5_000, 5)
        if delta.reset:
            resets.append(delta.reset)
            await replica.load(primary.snapshot())
            await asyncio.sleep(0.01)
        await replica.apply(delta.changes)
        if stopped and not delta.changes:
            return resets


async def write(store: SqliteStore, rate: float, writer: int) -> None:
    """Change mappings at a rate for SECONDS."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for n in itertools.count():
        address = ip(f"10.{writer}.0.{n % 100}")
        place = US_WEST if n // 100 % 2 else US_EAST
        await store.write(ZONE_ID, (address,), put(address, place), CAUSE)
        if loop.time() - began > SECONDS:
            return
        await asyncio.sleep(max(began + (n + 1) / rate - loop.time(), 0))


async def history(store: Store, since: int) -> list[Change]:
    found = list[Change]()
    while changes := await store.changes(since, 1_000):
        found += changes
        since = changes[-1].revision
    return found
