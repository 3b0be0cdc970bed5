"""What a node remembers of a PostgreSQL database, and when it forgets."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from originmap.domain.errors import MappingNotFound
from originmap.domain.history.change import Committed
from originmap.domain.history.snapshot import Part
from originmap.domain.mapping.mapping import Mapping, ZoneView
from originmap.store.memory import MemoryStore
from originmap.store.postgres.known_places import MOST_ADDRESSES, Asked, Counter, Known
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


def test_missing_mappings_are_cached_too() -> None:
    known, absent = Known(), ip("192.0.2.2")
    asked: list[Asked] = [(ZONE_ID, ADDRESS), (ZONE_ID, absent), ("gone", None)]
    assert known.missing(asked) == asked
    known.learn(HERE, asked, ROWS)
    assert known.missing(asked) == []
    stored = Mapping(ADDRESS, US_EAST, 900, 4)
    assert known.view(ZONE_ID, [ADDRESS, absent]) == ZoneView({ADDRESS: stored}, 7)
    assert known.view("gone", []) is None


def test_data_of_another_revision_or_epoch_replaces_the_cache() -> None:
    for later in (HERE._replace(revision=6), HERE._replace(epoch="other")):
        known = Known()
        known.learn(HERE, [(ZONE_ID, ADDRESS)], ROWS)
        known.learn(HERE, [("other", None)], [])
        assert known.missing([(ZONE_ID, ADDRESS)]) == []
        known.learn(later, [("other", None)], [])
        assert known.missing([(ZONE_ID, ADDRESS)]) == [(ZONE_ID, ADDRESS)]


def test_the_cache_is_bounded() -> None:
    known = Known()
    known.learn(HERE, [(ZONE_ID, ADDRESS)], ROWS)
    many: list[Asked] = [(ZONE_ID, address) for address in ips(MOST_ADDRESSES)]
    known.learn(HERE, many, ROWS[:1])
    assert known.missing([(ZONE_ID, ADDRESS)]) == [(ZONE_ID, ADDRESS)]
    assert known.missing(many) == []


async def test_what_a_node_knows_is_not_believed_when_another_wrote(
    nodes: list[PostgresStore],
) -> None:
    first = await put(nodes[0], "192.0.2.1")
    for revision in range(first.revision + 1, first.revision + 41, 2):
        assert (await put(nodes[1], "192.0.2.1", US_WEST)).revision == revision
        assert (await put(nodes[0], "192.0.2.1")).revision == revision + 1
        assert (await put(nodes[0], "192.0.2.1")).revision == revision + 1


async def test_refusals_and_no_ops_are_decided_by_stored_data(
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


async def test_what_a_node_knows_of_a_database_is_not_believed_of_its_successor(
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


async def test_data_of_a_replaced_database_is_not_mixed_with_its_successor(
    nodes: list[PostgresStore],
) -> None:
    await put(nodes[0], "192.0.2.3")
    await put(nodes[1], "192.0.2.1")
    written = await put(nodes[0], "192.0.2.3", US_WEST)  # under the lock, and so the next one
    other = MemoryStore()
    await other.write_records(new_zone(), CAUSE)
    for text in ("192.0.2.2", "192.0.2.3", "192.0.2.4"):
        await put(other, text)
    assert other.revision == written.revision
    deletions: list[asyncio.Task[Committed[Mapping]]] = []

    async def parts() -> AsyncIterator[Part]:
        async for part in other.snapshot():
            if not deletions:  # the other node waits for the counter from here on
                deletion = delete(nodes[0], "192.0.2.1")
                deletions.append(asyncio.get_running_loop().create_task(deletion))
                await asyncio.sleep(0.1)
            yield part

    await nodes[1].load(parts())
    with pytest.raises(MappingNotFound):
        await deletions[0]


async def test_cached_mappings_are_dropped_after_a_failover_that_lost_them(
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
