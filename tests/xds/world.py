"""A store with the accounts, zones and tokens of the authorization matrix, and its xDS server."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import msgspec
from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2

from originmap import bootstrap
from originmap.bootstrap_xds import serving_nodes
from originmap.domain.mapping.mapping import Place, put
from originmap.service import initial_data
from originmap.service.feed.followers import FollowerStatus
from originmap.service.mapping.zones import Zones
from originmap.service.rollout.steps import RolloutRequest
from originmap.settings import Settings
from originmap.store.clock import SYSTEM, wall_clock
from tests.api.matrix import FOREIGN_ZONE, OTHER_ZONE, ZONE, furnish
from tests.builders import CAUSE, ip
from tests.caches.network import free_port
from tests.waiting import PATIENCE_SECONDS, until
from tests.xds.node_client import NodeClient, OldNodeClient, described

ZONES = {"example.com": ZONE, "example.org": OTHER_ZONE, "example.net": FOREIGN_ZONE}


class World:
    """A store and the address of its xDS server."""

    def __init__(self, opened: bootstrap.Opened, port: int) -> None:
        self.opened = opened
        self.store = opened.store
        self.port = port
        self.channel = grpc.aio.insecure_channel(
            f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)]
        )
        self._changes: Counter[str] = Counter()

    def node(
        self,
        token: str | None = "secret-edge",
        name: str = "sin-1",
        known: NodeClient | None = None,
        channel: grpc.aio.Channel | None = None,
        **options: Any,
    ) -> NodeClient:
        """A node with this token; `options` are the members of its metadata, and its colo."""
        node: base_pb2.Node = described(name, **options)
        return NodeClient(channel or self.channel, token, node, known)

    def old_node(self, known: NodeClient | None = None) -> OldNodeClient:
        """A node that speaks the state-of-the-world protocol."""
        return OldNodeClient(self.channel, "secret-edge", described("sin-1"), known)

    async def refusal(
        self, token: str, channel: grpc.aio.Channel | None = None, **members: Any
    ) -> tuple[grpc.StatusCode, str]:
        """How the server ends a stream with this token, after a first request if there are members
        of one. The client sends nothing else: the status of a request after the end is gRPC's."""
        stub = ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel or self.channel)
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        call = stub.DeltaAggregatedResources(metadata=metadata)
        if members:
            await call.write(discovery_pb2.DeltaDiscoveryRequest(**members))
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await call.code(), await call.details()

    async def change(self, zone: str, region: str = "") -> None:
        """Change the mapping of a zone's origin, each time to another region."""
        self._changes[zone] += 1
        region = region or ("us-east-1", "eu-central-1")[self._changes[zone] % 2]
        origin = ip("192.0.2.1")
        await self.store.write(ZONES[zone], (origin,), put(origin, Place("aws", region)), CAUSE)

    async def delete_zone(self, zone: str) -> None:
        """Delete a zone with its mappings."""
        await Zones(self.store, self.opened.directory, wall_clock).delete(ZONES[zone], CAUSE)

    async def step(self, name: str, **members: Any) -> None:
        """Take a step of a rollout."""
        asked = msgspec.convert({"step": name, **members}, RolloutRequest)
        await self.opened.rollouts.take(asked, CAUSE)

    async def applied(self, name: str = "sin-1") -> None:
        """Wait until a node has applied the newest revision."""

        def there() -> bool:
            found = [each for each in self.opened.followers.all() if each.name == name]
            return bool(found) and found[0].applied == self.store.revision

        await self.until(there, f"{name} at revision {self.store.revision}")

    async def until(self, true: Callable[[], object], what: str) -> None:
        """Wait until a condition is true."""
        await until(true, lambda: f"{what}: {self.opened.followers.all()}")

    def follower(self, name: str = "sin-1") -> FollowerStatus:
        """What is known about a node."""
        return next(each for each in self.opened.followers.all() if each.name == name)


@contextlib.asynccontextmanager
async def opened_world(**settings: Any) -> AsyncIterator[World]:
    async with bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened:
        await furnish(opened)
        async with serving(opened, **settings) as world:
            yield world


@contextlib.asynccontextmanager
async def serving(opened: bootstrap.Opened, **settings: Any) -> AsyncIterator[World]:
    """Serve a store's resources from a new server."""
    port = free_port()
    chosen = Settings(xds=f"127.0.0.1:{port}", **settings)
    async with serving_nodes(chosen, opened, SYSTEM, None, lambda: None):
        world = World(opened, port)
        try:
            yield world
        finally:
            await world.channel.close()
