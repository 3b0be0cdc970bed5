"""The PostgreSQL store: several nodes, one server, and its outages."""

import asyncio
import contextlib
from typing import Any

import asyncpg
import pytest

from originmap.domain.errors import (
    StoreFailed,
    TooManyMappings,
    ZoneExists,
    ZoneNotFound,
)
from originmap.domain.history.record import Key, Kind, RecordChange, RecordDecision
from originmap.domain.history.snapshot import SnapshotStart
from originmap.domain.mapping import mapping
from originmap.domain.zone.rules import create_zone
from originmap.domain.zone.zone import Account
from originmap.store.memory import MemoryStore
from originmap.store.postgres.store import PostgresStore, open_postgres
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, ips, new_zone, remove_zone, zone
from tests.postgres import Cluster
from tests.store.copies import OTHER_ID
from tests.store.nodes import END_CONNECTIONS, put
from tests.waiting import until


async def test_everything_is_persistent(url: str) -> None:
    first = await open_postgres(url)
    await first.write_records(new_zone(), CAUSE)
    written = await put(first, "192.0.2.1")
    await first.close()
    second = await open_postgres(url, now=lambda: 5)  # a clock far in the past
    assert await second.get(ZONE_ID, ip("192.0.2.1")) == written
    assert (second.revision, second.epoch) == (2, first.epoch)
    changed = await put(second, "192.0.2.1", US_WEST)
    assert (changed.revision, changed.modified_on) == (3, written.modified_on + 1)
    await second.close()


async def test_all_nodes_read_the_writes_of_one_node(nodes: list[PostgresStore]) -> None:
    written = await put(nodes[1], "192.0.2.1")
    assert [await node.get(ZONE_ID, ip("192.0.2.1")) for node in nodes] == [written] * 3
    await until(lambda: {node.revision for node in nodes} == {2})


async def test_the_limit_of_mappings_is_exact_across_nodes(nodes: list[PostgresStore]) -> None:
    addresses = ips(mapping.MAX_MAPPINGS - 5)
    for start in range(0, len(addresses), 500):
        puts = (_fill(nodes[0], a) for a in addresses[start : start + 500])
        await asyncio.gather(*puts)
    racers = [put(nodes[n % 3], f"192.0.2.{n}") for n in range(96)]
    results: list[Any] = await asyncio.gather(*racers, return_exceptions=True)
    refused = [r for r in results if isinstance(r, BaseException)]
    assert len(refused) == 91
    assert all(isinstance(r, TooManyMappings) for r in refused)
    assert (await nodes[2].page(ZONE_ID, 0, 1)).total == mapping.MAX_MAPPINGS


async def _fill(store: PostgresStore, address: Any) -> None:
    await store.write(ZONE_ID, (address,), mapping.put(address, US_EAST), CAUSE)


async def test_revisions_become_visible_in_order(nodes: list[PostgresStore]) -> None:
    seen: list[int] = []
    ended = asyncio.Event()

    async def read() -> None:
        while not ended.is_set() or await nodes[2].changes(len(seen), 1):
            seen.extend(change.revision for change in await nodes[2].changes(len(seen), 100))

    async def write(node: PostgresStore, writer: int) -> None:
        for n in range(25):
            await put(node, f"192.0.2.{writer}", (US_EAST, US_WEST)[n % 2])

    reader = asyncio.ensure_future(read())
    await asyncio.gather(*(write(nodes[n % 3], n) for n in range(32)))
    ended.set()
    await reader
    assert seen == list(range(1, 1 + 32 * 25 + 1))


async def test_times_grow_with_revisions_across_nodes(nodes: list[PostgresStore]) -> None:
    await asyncio.gather(*(put(nodes[n % 3], f"192.0.2.{n}") for n in range(60)))
    times = [change.at for change in await nodes[0].changes(0, 100)]
    assert times == sorted(set(times))


async def test_concurrent_writes_of_two_zones_on_two_nodes_do_not_deadlock(
    nodes: list[PostgresStore],
) -> None:
    await nodes[0].write_records(new_zone(OTHER_ID, "example.org"), CAUSE)

    async def put(node: PostgresStore, zone_id: str, text: str) -> None:
        await node.write(zone_id, (ip(text),), mapping.put(ip(text), US_EAST), CAUSE)

    for n in range(20):
        one, two = (ZONE_ID, OTHER_ID)[:: 1 if n % 2 else -1]
        await asyncio.gather(
            *(put(node, z, f"10.{n}.{i}.1") for i, node in enumerate(nodes) for z in (one, two))
        )
    assert (await nodes[0].page(OTHER_ID, 0, 1)).total == 60


async def test_a_node_that_loses_its_connections_under_load_logs_no_traceback(
    nodes: list[PostgresStore], cluster: Cluster, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    ended = asyncio.Event()

    async def write(node: PostgresStore, text: str) -> None:
        while not ended.is_set():
            with contextlib.suppress(StoreFailed):
                await put(node, text, US_WEST)
                await put(node, text)

    writers = [asyncio.ensure_future(write(n, f"192.0.2.{i}")) for i, n in enumerate(nodes)]
    for _ in range(10):
        await asyncio.to_thread(
            cluster.sql, END_CONNECTIONS + f"'{url.rpartition('/')[2]}'", "postgres"
        )
        await asyncio.sleep(0.05)
    ended.set()
    await asyncio.gather(*writers)
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_rule_sees_the_commits_of_other_nodes(nodes: list[PostgresStore]) -> None:
    account = Account("account", "A", 1)
    made = RecordChange(Key(Kind.ACCOUNT, account.id), None, account)
    await nodes[0].write_records(lambda records: RecordDecision((made,), None), CAUSE)
    results: list[Any] = await asyncio.gather(
        *(
            node.write_records(create_zone(zone(str(n) * 32, "example.net")), CAUSE)
            for n, node in enumerate(nodes)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(result, ZoneExists) for result in results) == 2


async def test_a_zone_deleted_on_another_node_accepts_no_mapping(
    nodes: list[PostgresStore],
) -> None:
    await put(nodes[1], "192.0.2.1")
    await nodes[0].write_records(remove_zone(), CAUSE)
    with pytest.raises(ZoneNotFound):
        await put(nodes[1], "192.0.2.2")


async def test_a_database_loaded_on_one_node_reaches_the_other_nodes(
    nodes: list[PostgresStore], cluster: Cluster
) -> None:
    source = await open_postgres(cluster.new_database())
    await source.write_records(new_zone(OTHER_ID, "example.org"), CAUSE)
    heard: list[RecordChange] = []
    nodes[1].follow_records(heard.extend)
    await nodes[0].load(source.snapshot())
    await until(lambda: nodes[1].epoch == source.epoch)
    assert heard[-1].after == zone(OTHER_ID, "example.org")
    assert nodes[1].is_replica
    await source.close()


async def test_a_store_recovers_after_an_outage_of_the_server(own_cluster: Cluster) -> None:
    store = await open_postgres(own_cluster.new_database())
    await store.write_records(new_zone(), CAUSE)
    written = await put(store, "192.0.2.1")
    own_cluster.stop()
    await until(lambda: not store.writable)
    with pytest.raises(StoreFailed):
        await put(store, "192.0.2.2")
    with pytest.raises(StoreFailed):
        await store.get(ZONE_ID, ip("192.0.2.1"))
    own_cluster.start()
    await until(lambda: store.writable)
    assert await store.get(ZONE_ID, ip("192.0.2.1")) == written
    assert (await put(store, "192.0.2.2")).revision == written.revision + 1
    await store.close()


async def test_a_node_that_hangs_in_a_commit_does_not_block_other_nodes(
    nodes: list[PostgresStore], url: str
) -> None:
    frozen = await asyncpg.connect(url, server_settings={
        "idle_in_transaction_session_timeout": "200ms"})  # fmt: skip
    await frozen.execute("BEGIN")
    await frozen.execute("SELECT FROM state FOR UPDATE")
    written = await put(nodes[0], "192.0.2.1")
    assert await nodes[1].get(ZONE_ID, ip("192.0.2.1")) == written
    with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError):
        await frozen.close()


async def test_a_read_of_changes_notes_trimming_by_another_node(
    nodes: list[PostgresStore],
) -> None:
    for n in range(5):
        await put(nodes[0], f"192.0.2.{n}")
    await nodes[0].forget(3, 10)
    changes = await nodes[1].changes(1, 10)
    assert changes[0].revision == nodes[1].oldest + 1 == 4
    assert await nodes[2].changes(2, 10, "no such zone") == []
    assert nodes[2].oldest == 3


async def test_a_read_of_changes_notes_the_revision_of_another_node(
    nodes: list[PostgresStore],
) -> None:
    for n in range(20):
        await put(nodes[0], f"192.0.2.{n}")
        for node, of_zone in ((nodes[1], None), (nodes[2], "no such zone")):
            await node.changes(0, 100, of_zone)
            assert node.revision == nodes[0].revision


async def test_a_read_of_mappings_or_a_snapshot_notes_the_revision_of_another_node(
    nodes: list[PostgresStore],
) -> None:
    for n in range(10):
        await put(nodes[0], f"192.0.2.{n}")
        page = await nodes[1].page(ZONE_ID, 0, 100)
        assert (page.revision, page.total) == (nodes[0].revision, n + 1)
        assert nodes[1].revision == page.revision
        async with contextlib.aclosing(nodes[2].snapshot()) as parts:  # type: ignore[type-var]
            start = await anext(parts)
        assert isinstance(start, SnapshotStart)
        assert nodes[2].revision == start.revision == nodes[0].revision


async def test_a_read_of_changes_notes_that_the_database_was_replaced(
    nodes: list[PostgresStore],
) -> None:
    source = MemoryStore()
    await source.write_records(new_zone(OTHER_ID, "example.org"), CAUSE)
    await nodes[0].load(source.snapshot(history=True))
    assert len(await nodes[1].changes(0, 10)) == 1
    assert nodes[1].epoch == source.epoch
