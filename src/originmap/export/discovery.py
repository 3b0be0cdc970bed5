"""Discovery responses: Envoy's resources for a node that polls for them.

This is xDS over REST (envoyproxy.io, "xDS REST and gRPC protocol"). The node posts the names of
resources and its version to a path of the protocol; the response has these resources in another
version. Envoy accepts only one cluster's endpoints in a response, so a response contains only the
named resources.
"""

from collections.abc import Collection
from json import dumps
from typing import NamedTuple, Protocol

from originmap.export.format import File, Writer
from originmap.export.node import Node


class _MakeWriter(Protocol):
    def __call__(self, node: Node, head: str, names: Collection[str]) -> Writer: ...


class ResourceKind(NamedTuple):
    """A kind of resource; `name` is its name in the protocol's path."""

    name: str
    of_mappings: bool = True  # see `File.of_mappings`


KINDS = (
    ResourceKind("clusters", of_mappings=False),
    ResourceKind("endpoints", of_mappings=False),
    ResourceKind("routes"),
)


def response(kind: ResourceKind, version: str, names: Collection[str] = ()) -> File:
    """The response with the resources of these names, or with all resources if there are none."""
    type_url, make = _type_and_writer(kind)
    members = {"version_info": version, "type_url": type_url}
    head = dumps(members, separators=(",", ":"))[1:-1] + ","

    def writer(node: Node) -> Writer:
        return make(node, head, frozenset(names))

    return File(f"discovery:{kind.name}", "application/json", writer, kind.of_mappings)


def _type_and_writer(kind: ResourceKind) -> tuple[str, _MakeWriter]:
    from originmap.export import envoy  # a server without such nodes does not load it

    table: dict[str, tuple[str, _MakeWriter]] = {
        "clusters": (envoy.CLUSTER_TYPE, envoy.Clusters),
        "endpoints": (envoy.ENDPOINTS_TYPE, envoy.Assignments),
        "routes": (envoy.ROUTES_TYPE, envoy.Routes),
    }
    return table[kind.name]
