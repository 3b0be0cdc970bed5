"""The resources for a node, as Envoy's protobuf messages, and their versions.

They are those of the files (`export.envoy`), with two differences: a cluster whose upper tiers all
have IP addresses gets its endpoints by discovery, and each zone has a virtual host of its own, so
that a changed mapping concerns one small resource. A version is a digest of the content: equal
content has the same version in every process, also after a restart.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from envoy.config.cluster.v3 import cluster_pb2  # noqa: F401 (the JSON form names its type)
from envoy.config.endpoint.v3 import endpoint_pb2  # noqa: F401
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.clusters.aggregate.v3 import cluster_pb2 as aggregate_pb2  # noqa: F401
from envoy.extensions.retry.host.previous_hosts.v3 import previous_hosts_pb2  # noqa: F401
from envoy.extensions.retry.priority.previous_priorities.v3 import (  # noqa: F401
    previous_priorities_config_pb2,
)
from envoy.type.matcher.v3 import http_inputs_pb2  # noqa: F401
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any

from originmap.domain.mapping import address as addresses
from originmap.export.envoy import (
    CLUSTER_TYPE,
    ENDPOINTS_TYPE,
    HOST_TYPE,
    ROUTES,
    ROUTES_TYPE,
    Assignments,
    Clusters,
    Routes,
    on_addresses,
)
from originmap.export.node import Node, ZonePart

TYPES = (CLUSTER_TYPE, ENDPOINTS_TYPE, ROUTES_TYPE, HOST_TYPE)
"""In the order in which a client must get them, so that no route names a missing cluster."""
_ADS = {"ads": {}, "resource_api_version": "V3"}


class Resource:
    """A resource with its version. `content` is an `Any` message in protobuf form."""

    __slots__ = ("__weakref__", "content", "version")

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.version = hashlib.sha256(content).hexdigest()[:16]


Resources = Mapping[str, Resource]
"""Resources of one type by name."""


class Hosts(NamedTuple):
    """The virtual hosts of a node's zones."""

    routes: Routes

    def of(self, part: ZonePart) -> Resource:
        """The virtual host of a zone. The JSON form of one mapping for each chain is converted; the
        other mappings copy it, since a conversion takes ten times as long."""
        firsts = {row.chain: row for row in reversed(part.rows)}
        rows = sorted(firsts.values(), key=lambda row: row.address)
        host = route_components_pb2.VirtualHost()
        json_format.Parse(self.routes.virtual_host(part._replace(rows=rows)), host)
        by_address = host.matcher
        if by_address.HasField("matcher_list"):  # which is for requests that a cache has marked
            by_address = by_address.on_no_match.matcher
        entries = by_address.matcher_tree.exact_match_map.map
        actions = {row.chain: addresses.text(row.address) for row in rows}
        for row in part.rows:
            if row.chain != part.default and row is not firsts[row.chain]:
                entries[addresses.text(row.address)].CopyFrom(entries[actions[row.chain]])
        return _packed(HOST_TYPE, host.SerializeToString(deterministic=True))


def clusters(node: Node) -> dict[str, Resource]:
    """Every cluster. Raises InvalidExport."""
    discovered = frozenset(on_addresses(node))
    return {
        name: _converted(_discovering(cluster) if name in discovered else cluster)
        for name, cluster in Clusters(node).resources()
    }


def endpoints(node: Node) -> dict[str, Resource]:
    """The endpoints of each cluster whose upper tiers all have IP addresses. Raises
    InvalidExport."""
    discovered = frozenset(on_addresses(node))
    found = Assignments(node).resources()
    return {name: _converted(each) for name, each in found if name in discovered}


def route_configuration(node: Node) -> Resource:
    """The route configuration, whose virtual hosts Envoy discovers one by one."""
    config = _other_hosts(node)
    json_format.ParseDict({"config_source": _ADS}, config.vhds)
    return _packed(ROUTES_TYPE, config.SerializeToString(deterministic=True))


def complete_configuration(node: Node, hosts: Iterable[Resource]) -> Resource:
    """The route configuration with every virtual host in it, because the state-of-the-world
    protocol has no discovery of virtual hosts."""
    config = _other_hosts(node)
    for host in hosts:
        config.virtual_hosts.add().MergeFromString(Any.FromString(host.content).value)
    return _packed(ROUTES_TYPE, config.SerializeToString(deterministic=True))


def host_name(zone_name: str) -> str:
    """The name of a zone's virtual host as a resource: below that of the route configuration."""
    return f"{ROUTES}/{zone_name}"


def of_hosts(node: Node) -> Hosts:
    """A writer of virtual hosts."""
    return Hosts(Routes(node))


def _other_hosts(node: Node) -> route_pb2.RouteConfiguration:
    config = route_pb2.RouteConfiguration(name=ROUTES)
    json_format.Parse(Routes(node).other_hosts(), config.virtual_hosts.add())
    return config


def _discovering(cluster: dict[str, object]) -> dict[str, object]:
    rest = {key: value for key, value in cluster.items() if key != "load_assignment"}
    return {**rest, "type": "EDS", "eds_cluster_config": {"eds_config": _ADS}}


def _converted(resource: dict[str, object]) -> Resource:
    content = json_format.ParseDict(resource, Any())
    return Resource(content.SerializeToString(deterministic=True))


def _packed(type_url: str, value: bytes) -> Resource:
    return Resource(Any(type_url=type_url, value=value).SerializeToString())
