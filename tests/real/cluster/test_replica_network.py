"""Replicas behind a network that is slow, silent, or corrupts data."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.real.cluster.fleet import Primary, logged, ready, same, until
from tests.real.proxy import Proxy


@pytest.fixture
async def proxy(primary: Primary) -> AsyncIterator[Proxy]:
    async with Proxy(primary.url) as proxy:
        yield proxy


async def test_a_replica_serves_its_snapshot_without_the_primary(
    primary: Primary, writer: httpx.AsyncClient, proxy: Proxy
) -> None:
    await primary.put(writer, "192.0.2.1")
    proxy.hold = b"GET /originmap/v1/changes"
    with primary.replica("first", proxy.url) as replica:
        async with primary.client(replica.url) as reader:
            await until(lambda: ready(reader), "a replica that is ready")
            assert (await reader.get(primary.path("192.0.2.1"))).status_code == 200


async def test_a_cut_or_slow_network_causes_only_a_delay(
    primary: Primary, writer: httpx.AsyncClient, proxy: Proxy
) -> None:
    await primary.put(writer, "192.0.2.1")
    with primary.replica("first", proxy.url) as replica:
        async with primary.client(replica.url) as reader:
            await same(writer, reader)
            proxy.cut()
            await primary.put(writer, "192.0.2.2")
            await same(writer, reader)
            proxy.refuse = True
            proxy.cut()
            await primary.put(writer, "192.0.2.3")
            await asyncio.sleep(0.3)
            assert (await reader.get(primary.path("192.0.2.3"))).status_code == 404
            proxy.refuse, proxy.delay = False, 0.05
            await same(writer, reader)
            proxy.delay, proxy.cut_after = 0.0, 700  # every response is cut
            proxy.cut()
            for n in range(30):
                await primary.put(writer, f"198.51.100.{n}")
            await asyncio.sleep(0.3)
            proxy.cut_after = None
            await same(writer, reader)


async def test_a_silent_network_causes_a_timeout_and_a_retry(
    primary: Primary, writer: httpx.AsyncClient, proxy: Proxy
) -> None:
    with primary.replica("first", proxy.url) as replica:
        async with primary.client(replica.url) as reader:
            await same(writer, reader)
            proxy.silent = True
            await primary.put(writer, "192.0.2.1")
            await asyncio.sleep(1)
            age = (await ready(reader))["age_seconds"]
            assert age > 0.9
            proxy.silent = False
            await same(writer, reader)


async def test_a_truncated_or_damaged_snapshot_is_refused(
    primary: Primary, writer: httpx.AsyncClient, proxy: Proxy
) -> None:
    for n in range(200):
        await primary.put(writer, f"10.0.0.{n}")
    for fault in ({"cut_after": 2_000}, {"spoil": 2_500}):
        name = next(iter(fault))
        vars(proxy).update(fault)
        with primary.replica(name, proxy.url) as replica:
            async with primary.client(replica.url) as reader:
                await until(lambda r=replica: logged(r, "cannot follow the primary"), "a refusal")
                answer = await reader.get("/readyz")
                assert answer.status_code == 503
                assert (await reader.get(primary.path("10.0.0.1"))).status_code == 503
                vars(proxy).update(dict.fromkeys(fault))
                await same(writer, reader)


async def test_a_flipped_bit_is_detected_and_the_data_is_requested_again(
    primary: Primary, writer: httpx.AsyncClient, proxy: Proxy
) -> None:
    with primary.replica("first", proxy.url) as replica:
        async with primary.client(replica.url) as reader:
            await same(writer, reader)
            proxy.swap = (b'"us-west-2"', b'"}s-west-2"')
            await primary.put(writer, "192.0.2.1", "us-west-2")
            await until(lambda: logged(replica, "checksum mismatch"), "a refusal")
            assert not (await ready(reader))["connected"]
            assert (await reader.get(primary.path("192.0.2.1"))).status_code == 404
            proxy.swap = None
            await same(writer, reader)
            assert not await logged(replica, '"event":"full sync"')
