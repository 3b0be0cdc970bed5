"""A stream that three NATS servers of a cluster store."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from originmap.jetstream.connection import connected
from originmap.jetstream.publisher import StreamLimits
from tests.caches.network import free_port
from tests.jetstream.broker import Broker
from tests.jetstream.primary import Primary, access_to, following, gaps, publishing, stored
from tests.waiting import until


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[Broker]]:
    """Three servers."""
    ports = [free_port() for _ in range(3)]
    routes = ", ".join(f"nats://127.0.0.1:{port}" for port in ports)
    with contextlib.ExitStack() as stack:
        brokers = []
        for port in ports:
            config = f"cluster {{ name: c, listen: 127.0.0.1:{port}, routes: [{routes}] }}"
            brokers.append(stack.enter_context(Broker(tmp_path, f"jetstream {{}}\n{config}")))
        yield brokers


async def test_the_server_that_leads_a_stream_can_be_killed(
    cluster: list[Broker], primary: Primary
) -> None:
    addresses = ",".join(broker.address.removeprefix("nats://") for broker in cluster)
    access = access_to(f"nats://{addresses}", "ORIGINMAP")

    def is_current() -> bool:
        return node.store.is_replica and node.store.revision == primary.store.revision

    async with (
        publishing(primary, access, StreamLimits(messages=1_000, replicas=3)),
        following(access) as node,
    ):
        await until(is_current)
        oldest = node.store.oldest
        async with connected(access, "test") as connection:
            state = (await connection.streams.stream_info(access.url.stream)).cluster
        assert state is not None
        assert len(state.replicas or []) == 2
        (leader,) = [broker for broker in cluster if f"broker-{broker.port}" == state.leader]
        leader.kill()
        await primary.put("192.0.2.1")
        await until(is_current)
        leader.start()
        await primary.put("192.0.2.2")
        await until(is_current)
        assert node.store.oldest == oldest  # the only full sync was the first
    found = [message for _, _, message in await stored(access)]
    assert gaps(iter(found)) == []
    assert found[-1].revision == primary.store.revision
