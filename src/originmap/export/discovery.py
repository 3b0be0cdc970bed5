"""Discovery responses: Envoy's resources for a node that polls for them.

This is xDS over REST (envoyproxy.io, "xDS REST and gRPC protocol"). The node posts the names of
resources and its version to a path of the protocol; the response has these resources in another
version. Envoy accepts only one cluster's endpoints in a response, so a response contains only the
named resources.
"""

from collections.abc import Collection
from json import dumps
from typing import NamedTuple, Protocol

from originmap.export.envoy import (
    CLUSTER_TYPE,
    ENDPOINTS_TYPE,
    ROUTES_TYPE,
    Assignments,
    Clusters,
    Routes,
)
from originmap.export.format import File, Writer
from originmap.export.node import Node


class _MakeWriter(Protocol):
    def __call__(self, node: Node, head: str, names: Collection[str]) -> Writer: ...


class ResourceKind(NamedTuple):
    """A kind of resource; `name` is its name in the protocol's path."""

    name: str
    type_url: str
    writer: _MakeWriter
    of_mappings: bool = True  # see `File.of_mappings`


_KINDS = (
    ResourceKind("clusters", CLUSTER_TYPE, Clusters, of_mappings=False),
    ResourceKind("endpoints", ENDPOINTS_TYPE, Assignments, of_mappings=False),
    ResourceKind("routes", ROUTES_TYPE, Routes),
)


def kind_called(name: str) -> ResourceKind:
    """The kind of this name, which must exist."""
    return next(kind for kind in _KINDS if kind.name == name)


def response(kind: ResourceKind, version: str, names: Collection[str] = ()) -> File:
    """The response with the resources of these names, or with all resources if there are none."""
    members = {"version_info": version, "type_url": kind.type_url}
    head = dumps(members, separators=(",", ":"))[1:-1] + ","

    def writer(node: Node) -> Writer:
        return kind.writer(node, head, frozenset(names))

    return File(f"discovery:{kind.name}", "application/json", writer, kind.of_mappings)
