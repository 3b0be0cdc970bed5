"""A client of the discovery service that speaks both protocols like Envoy."""

import asyncio
from collections.abc import Mapping
from typing import Any

import grpc
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from google.protobuf import json_format

from originmap.export.envoy import CLUSTER_TYPE, ENDPOINTS_TYPE, HOST_TYPE, ROUTES_TYPE
from tests.waiting import PATIENCE_SECONDS

TEMPLATE = "{colo}.example:80"


def described(name: str, colo: str = "SIN", **options: Any) -> base_pb2.Node:
    """A node as it describes itself."""
    node = {
        "id": name,
        "locality": {"zone": colo},
        "metadata": {"originmap": {"upstream": [TEMPLATE], **options}},
    }
    return json_format.ParseDict(node, base_pb2.Node())


class NodeClient:
    """A node with a stream of the incremental protocol; a context manager. It asks for all clusters
    and virtual hosts, for the route configuration, and for the endpoints of each cluster, and
    accepts everything except names in `rejects`.
    """

    keeps = True
    """Whether to keep the contents of all resources; those of clusters are always kept."""
    patience = float(PATIENCE_SECONDS)

    def __init__(
        self,
        channel: grpc.aio.Channel,
        token: str | None,
        node: base_pb2.Node,
        known: "NodeClient | None" = None,
    ) -> None:
        """`known` is the client before a reconnect, whose resources this one has."""
        self.node = node
        self.held: dict[str, dict[str, str]] = known.held if known else {}
        self.contents: dict[str, bytes] = known.contents if known else {}
        self.pushes: list[tuple[str, list[str], list[str]]] = []
        """The type, the names and the removed names of each response."""
        self.received = 0
        """Bytes of all responses."""
        self.rejects: dict[str, str] = {}
        """The text about each rejected resource, by name."""
        self.news = asyncio.Event()
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._call = self._open(ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel), metadata)
        self._task: asyncio.Task[None] | None = None
        self.asked_endpoints: set[str] = set()

    def _open(self, stub: Any, metadata: Any) -> Any:
        return stub.DeltaAggregatedResources(metadata=metadata)

    async def __aenter__(self) -> "NodeClient":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *of: object) -> None:
        self._call.cancel()
        assert self._task is not None
        await asyncio.gather(self._task, return_exceptions=True)

    async def ask(self, type_url: str, **members: Any) -> None:
        """Send a request."""
        request = discovery_pb2.DeltaDiscoveryRequest(type_url=type_url, node=self.node, **members)
        await self._call.write(request)

    async def ended(self) -> tuple[grpc.StatusCode, str]:
        """Wait until the server ends the stream; return its status and text."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._call.code(), await self._call.details()

    async def waits_for(self, *pushes: tuple[str, list[str]]) -> None:
        """Wait until these resources were sent, each type with its names, and nothing else."""
        expected = [(type_url, sorted(names)) for type_url, names in pushes]
        await self.until(lambda: [each[:2] for each in self.pushes] == expected, str(expected))

    async def until(self, true: Any, what: str) -> None:
        """Wait until a condition is true after a response."""
        try:
            async with asyncio.timeout(self.patience):
                while not true():
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            raise AssertionError(f"{self.node.id}: {self.pushes}, not {what}") from None

    async def complete(self) -> None:
        """Wait for the first resources of every type; then forget the responses."""
        await self.until(self.is_complete, "all resources")
        self.pushes.clear()

    def is_complete(self) -> bool:
        """Whether there are resources of every type, and the endpoints of every cluster."""
        clusters, endpoints = (self.held.get(t, {}) for t in (CLUSTER_TYPE, ENDPOINTS_TYPE))
        routes = ROUTES_TYPE in self.held and HOST_TYPE in self.held
        discovered = {name for name in clusters if self._is_discovered(name)}
        return routes and bool(clusters) and discovered <= endpoints.keys()

    def hosts(self) -> list[str]:
        """The zones in the virtual hosts."""
        return sorted(name.partition("/")[2] for name in self.held.get(HOST_TYPE, {}))

    def host(self, zone: str) -> route_components_pb2.VirtualHost:
        """The virtual host of a zone."""
        return route_components_pb2.VirtualHost.FromString(self.contents[f"originmap/{zone}"])

    async def _run(self) -> None:
        try:
            for type_url in self._types():
                names = ["originmap"] if type_url == ROUTES_TYPE else []
                versions = self.held.get(type_url, {})
                await self.ask(
                    type_url, resource_names_subscribe=names, initial_resource_versions=versions
                )
            if self.held.get(ENDPOINTS_TYPE):
                await self._ask_endpoints(self.held[ENDPOINTS_TYPE])
            while (response := await self._call.read()) is not grpc.aio.EOF:
                await self._take(response)
                self.news.set()
        except grpc.RpcError:
            pass
        finally:
            self.news.set()

    def _types(self) -> tuple[str, ...]:
        return (CLUSTER_TYPE, ROUTES_TYPE, HOST_TYPE)

    async def _take(self, response: Any) -> None:
        names = sorted(resource.name for resource in response.resources)
        self.received += response.ByteSize()
        self.pushes.append((response.type_url, names, list(response.removed_resources)))
        rejected = [self.rejects[name] for name in names if name in self.rejects]
        if rejected:
            error = {"code": 13, "message": rejected[0]}
            await self.ask(response.type_url, response_nonce=response.nonce, error_detail=error)
            return
        held = self.held.setdefault(response.type_url, {})
        for resource in response.resources:
            held[resource.name] = resource.version
            if self.keeps or response.type_url == CLUSTER_TYPE:
                self.contents[resource.name] = resource.resource.value
        for name in response.removed_resources:
            held.pop(name, None)
        await self.ask(response.type_url, response_nonce=response.nonce)
        if response.type_url == CLUSTER_TYPE:
            await self._ask_endpoints({})

    async def _ask_endpoints(self, versions: Mapping[str, str]) -> None:
        clusters = [n for n in self.held[CLUSTER_TYPE] if n not in self.asked_endpoints]
        new = [name for name in clusters if self._is_discovered(name)]
        if new:
            self.asked_endpoints.update(new)
            await self.ask(
                ENDPOINTS_TYPE, resource_names_subscribe=new, initial_resource_versions=versions
            )

    def _is_discovered(self, cluster: str) -> bool:
        found = cluster_pb2.Cluster.FromString(self.contents[cluster])
        return bool(found.type == cluster_pb2.Cluster.EDS)


class OldNodeClient(NodeClient):
    """The same by the state-of-the-world protocol, without endpoints."""

    def _open(self, stub: Any, metadata: Any) -> Any:
        return stub.StreamAggregatedResources(metadata=metadata)

    async def ask(self, type_url: str, **members: Any) -> None:
        versions = members.pop("initial_resource_versions", {})
        request = discovery_pb2.DiscoveryRequest(
            type_url=type_url,
            node=self.node,
            resource_names=members.pop("resource_names_subscribe", self._names(type_url)),
            version_info=versions.get("") or self.held.get(type_url, {}).get("", ""),
            **members,
        )
        await self._call.write(request)

    def _names(self, type_url: str) -> list[str]:
        return ["originmap"] if type_url == ROUTES_TYPE else []

    def _types(self) -> tuple[str, ...]:
        return (CLUSTER_TYPE, ROUTES_TYPE)

    def is_complete(self) -> bool:
        return {*self.held} == {CLUSTER_TYPE, ROUTES_TYPE}

    async def _take(self, response: Any) -> None:
        names = [self._name(response.type_url, each.value) for each in response.resources]
        self.pushes.append((response.type_url, sorted(names), []))
        self.held[response.type_url] = {"": response.version_info}
        await self.ask(response.type_url, response_nonce=response.nonce)

    def _name(self, type_url: str, content: bytes) -> str:
        kind = cluster_pb2.Cluster if type_url == CLUSTER_TYPE else route_pb2.RouteConfiguration
        name: str = kind.FromString(content).name
        return name
