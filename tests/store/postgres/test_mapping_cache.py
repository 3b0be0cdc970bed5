"""The mapping cache of a PostgreSQL node, and when it is cleared."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from originmap.domain.errors import MappingNotFound
from originmap.domain.history.change import Committed
from originmap.domain.history.snapshot import Part
from originmap.domain.mapping.mapping import Mapping, ZoneView
from originmap.store.memory import MemoryStore
from originmap.store.postgres.mapping_cache import MAX_ADDRESSES, CacheKey, Counter, MappingCache
from originmap.store.postgres.store import PostgresStore
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, ips, new_zone
from tests.postgres import Cluster
from tests.store.nodes import delete, put

HERE = Counter("epoch", 5, 1_000)
ADDRESS = ip("192.0.2.1")
ROWS = [
    (ZONE_ID, None, None, None, None, 7),
    (ZONE_ID, bytes(ADDRESS), "aws/us-east-1", 900, 4, None),
]


def test_missing_zones_and_mappings_are_cached() -> None:
    cache, absent = MappingCache(), ip("192.0.2.2")
    asked: list[CacheKey] = [(ZONE_ID, ADDRESS), (ZONE_ID, absent), ("gone", None)]
    assert cache.missing(asked) == asked
    cache.learn(HERE, asked, ROWS)
    assert cache.missing(asked) == []
    stored = Mapping(ADDRESS, US_EAST, 900, 4)
    assert cache.view(ZONE_ID, [ADDRESS, absent]) == ZoneView({ADDRESS: stored}, 7)
    assert cache.view("gone", []) is None


def test_rows_of_another_revision_or_epoch_replace_the_cache() -> None:
    for later in (HERE._replace(revision=6), HERE._replace(epoch="other")):
        cache = MappingCache()
        cache.learn(HERE, [(ZONE_ID, ADDRESS)], ROWS)
        cache.learn(HERE, [("other", None)], [])
        assert cache.missing([(ZONE_ID, ADDRESS)]) == []
        cache.learn(later, [("other", None)], [])
        assert cache.missing([(ZONE_ID, ADDRESS)]) == [(ZONE_ID, ADDRESS)]


def test_the_size_of_the_cache_is_limited() -> None:
    cache = MappingCache()
    cache.learn(HERE, [(ZONE_ID, ADDRESS)], ROWS)
    many: list[CacheKey] = [(ZONE_ID, address) for address in ips(MAX_ADDRESSES)]
    cache.learn(HERE, many, ROWS[:1])
    assert cache.missing([(ZONE_ID, ADDRESS)]) == [(ZONE_ID, ADDRESS)]
    assert cache.missing(many) == []


async def test_the_cache_is_not_used_after_a_write_of_another_node(
    nodes: list[PostgresStore],
) -> None:
    first = await put(nodes[0], "192.0.2.1")
    for revision in range(first.revision + 1, first.revision + 41, 2):
        assert (await put(nodes[1], "192.0.2.1", US_WEST)).revision == revision
        assert (await put(nodes[0], "192.0.2.1")).revision == revision + 1
        assert (await put(nodes[0], "192.0.2.1")).revision == revision + 1


async def test_rejected_and_empty_writes_are_decided_on_current_rows(
    nodes: list[PostgresStore],
) -> None:
    for _ in range(20):
        written = await put(nodes[0], "192.0.2.1")
        await delete(nodes[1], "192.0.2.1")
        with pytest.raises(MappingNotFound):
            await delete(nodes[0], "192.0.2.1")
        again = await put(nodes[1], "192.0.2.1")
        assert await put(nodes[0], "192.0.2.1") == again
        assert again.revision == written.revision + 2
        await delete(nodes[0], "192.0.2.1")


async def test_the_cache_is_not_used_for_a_database_that_replaced_another(
    nodes: list[PostgresStore],
) -> None:
    written = await put(nodes[0], "192.0.2.1")
    other = MemoryStore()
    await other.write_records(new_zone(), CAUSE)
    await put(other, "192.0.2.2")
    assert other.revision == written.revision
    await nodes[1].load(other.snapshot())
    with pytest.raises(MappingNotFound):
        await delete(nodes[0], "192.0.2.1")
    assert (await put(nodes[0], "192.0.2.1")).revision == written.revision + 1


async def test_rows_read_during_a_replacement_are_not_used_for_the_new_database(
    nodes: list[PostgresStore],
) -> None:
    await put(nodes[0], "192.0.2.3")
    await put(nodes[1], "192.0.2.1")
    # The other node wrote before, so this write takes the lock, and so does the next one.
    written = await put(nodes[0], "192.0.2.3", US_WEST)
    other = MemoryStore()
    await other.write_records(new_zone(), CAUSE)
    for text in ("192.0.2.2", "192.0.2.3", "192.0.2.4"):
        await put(other, text)
    assert other.revision == written.revision
    deletions: list[asyncio.Task[Committed[Mapping]]] = []

    async def parts() -> AsyncIterator[Part]:
        async for part in other.snapshot():
            if not deletions:  # the other node waits for the counter from now on
                deletion = delete(nodes[0], "192.0.2.1")
                deletions.append(asyncio.get_running_loop().create_task(deletion))
                await asyncio.sleep(0.1)
            yield part

    await nodes[1].load(parts())
    with pytest.raises(MappingNotFound):
        await deletions[0]


async def test_the_cache_is_not_used_after_a_fail_over_that_lost_commits(
    nodes: list[PostgresStore], url: str, cluster: Cluster
) -> None:
    kept = await put(nodes[0], "192.0.2.1")
    lost = await put(nodes[0], "192.0.2.2")
    cluster.sql(
        f"DELETE FROM mapping WHERE revision = {lost.revision};"
        f"DELETE FROM change WHERE revision = {lost.revision};"
        "UPDATE zone SET mappings = 1;"
        f"UPDATE state SET revision = {kept.revision}, last_at = {kept.modified_on}",
        url.rpartition("/")[2],
    )
    assert (await put(nodes[1], "192.0.2.3")).revision == lost.revision
    with pytest.raises(MappingNotFound):
        await delete(nodes[0], "192.0.2.2")
    await put(nodes[0], "192.0.2.2")
    assert (await nodes[0].page(ZONE_ID, 0, 10)).total == 3
