"""Discovery responses: Envoy's resources as answers to a node that asks for them.

That is xDS over REST (envoyproxy.io, "xDS REST and gRPC protocol"): the node posts what it wants
and the version it has, to a path that is the protocol's, and gets all of it in another version.
Envoy takes exactly one cluster's endpoints in an answer, so what was named is all there is in it.
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
    """A kind of resource, by the word that the protocol's path has for it."""

    name: str
    type_url: str
    writer: _MakeWriter
    of_mappings: bool = True  # as `File.of_mappings`


KINDS = (
    ResourceKind("clusters", CLUSTER_TYPE, Clusters, of_mappings=False),
    ResourceKind("endpoints", ENDPOINTS_TYPE, Assignments, of_mappings=False),
    ResourceKind("routes", ROUTES_TYPE, Routes),
)


def response(kind: ResourceKind, version: str, names: Collection[str] = ()) -> File:
    """The response with the resources of these names, of all where none is named."""
    said = {"version_info": version, "type_url": kind.type_url}
    head = dumps(said, separators=(",", ":"))[1:-1] + ","

    def writer(node: Node) -> Writer:
        return kind.writer(node, head, frozenset(names))

    return File(f"discovery:{kind.name}", "application/json", writer, kind.of_mappings)
