"""Concurrent reads of mappings from PostgreSQL."""

import asyncio
import contextlib

import pytest

from originmap.domain.errors import StoreFailed
from originmap.domain.mapping import batch
from originmap.domain.mapping.mapping import Place
from originmap.store.postgres.store import PostgresStore
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, ips
from tests.postgres import Cluster
from tests.store.nodes import put


async def _fill(store: PostgresStore, count: int, place: Place = US_EAST) -> None:
    checked = batch.Outcome(dict.fromkeys(ips(count), place), ())
    await store.write(ZONE_ID, tuple(checked.succeeded), batch.upsert(checked), CAUSE)


async def test_each_read_gets_its_own_result(nodes: list[PostgresStore]) -> None:
    await _fill(nodes[0], 1_500)
    asked = [*ips(1_700), *ips(10), ip("2001:db8::1")]
    found = await asyncio.gather(*(nodes[1].get(ZONE_ID, address) for address in asked))
    there = set(ips(1_500))
    for address, mapping in zip(asked, found, strict=True):
        assert (mapping is not None) == (address in there)
        assert mapping is None or (mapping.address, mapping.place) == (address, US_EAST)
    assert await nodes[1].get("f" * 32, ips(1)[0]) is None


async def test_a_read_after_a_response_is_never_older_than_it(
    nodes: list[PostgresStore],
) -> None:
    async def write_and_read(text: str) -> None:
        for n in range(30):
            written = await put(nodes[n % 2], text, US_WEST if n % 3 else US_EAST)
            assert await nodes[2].get(ZONE_ID, ip(text)) == written

    await asyncio.gather(*(write_and_read(f"192.0.2.{n}") for n in range(16)))


async def test_a_cancelled_read_does_not_affect_other_reads(nodes: list[PostgresStore]) -> None:
    written = await put(nodes[0], "192.0.2.1")
    reads = [asyncio.ensure_future(nodes[0].get(ZONE_ID, ip("192.0.2.1"))) for _ in range(20)]
    await asyncio.sleep(0)
    for read in reads[::2]:
        read.cancel()
    assert await asyncio.gather(*reads[1::2]) == [written] * 10
    for read in reads[::2]:
        with contextlib.suppress(asyncio.CancelledError):
            await read
    assert await nodes[0].get(ZONE_ID, ip("192.0.2.1")) == written


async def test_each_read_gets_an_error_and_later_reads_work(
    nodes: list[PostgresStore], cluster: Cluster, url: str
) -> None:
    written = await put(nodes[0], "192.0.2.1")
    name = url.rpartition("/")[2]
    cluster.sql("ALTER TABLE mapping RENAME TO away", name)
    reads = (nodes[0].get(ZONE_ID, address) for address in ips(20))
    found = await asyncio.gather(*reads, return_exceptions=True)
    assert [type(error) for error in found] == [StoreFailed] * 20
    cluster.sql("ALTER TABLE away RENAME TO mapping", name)
    assert await nodes[0].get(ZONE_ID, ip("192.0.2.1")) == written


async def test_a_closed_store_rejects_reads(nodes: list[PostgresStore]) -> None:
    await nodes[0].close()
    with pytest.raises(StoreFailed):
        await nodes[0].get(ZONE_ID, ip("192.0.2.1"))
