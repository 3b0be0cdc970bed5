"""The messages of the two protocols, read and written: the incremental one, and state of the world.

A client sends its node with the first request. Envoy's protocol is described at
envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import struct_pb2
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message

from originmap.domain.errors import InvalidQuery
from originmap.export.envoy import CLUSTER_TYPE, HOST_TYPE
from originmap.service.feed.followers import MAX_PROBLEM
from originmap.xds.resources import TYPES
from originmap.xds.stream import Asked, Push, ResourceStream

MOST_NAMES = 20_000
"""Maximum of names and versions in a request, and of texts in each member of a node's metadata."""
_LONGEST_NAME = 300
_OF_ALL = (CLUSTER_TYPE, HOST_TYPE)
"""Envoy names no clusters and no virtual hosts, and gets all."""


class XDSNode(NamedTuple):
    """A node as it describes itself: its name, its colo, the only zones that it wants by ID or
    name, and the addresses of upper tiers in the form of `export.endpoint.read`."""

    name: str
    colo: str | None
    zones: tuple[str, ...]
    upstreams: tuple[str, ...]


class Wire(NamedTuple):
    """One of the protocols."""

    incremental: bool
    read: Callable[[Message, ResourceStream], Asked]
    write: Callable[[Push], Message]


def node_of(node: base_pb2.Node) -> XDSNode:
    """The node of a first request. Raises InvalidQuery."""
    options = node.metadata.fields["originmap"].struct_value.fields
    unknown = sorted(options.keys() - {"zone", "upstream"})
    if unknown:
        raise InvalidQuery(f"node.metadata.originmap has no member {unknown[0]!r}")
    zones, upstreams = (_texts(options, name) for name in ("zone", "upstream"))
    return XDSNode(node.id, node.locality.zone.upper() or None, zones, upstreams)


def _texts(options: Mapping[str, struct_pb2.Value], name: str) -> tuple[str, ...]:
    if name not in options:
        return ()
    values = options[name].list_value.values
    if len(values) > MOST_NAMES:
        raise InvalidQuery(f"node.metadata.originmap.{name} has more than {MOST_NAMES:,} texts")
    texts = tuple(value.string_value for value in values)
    if not all(texts) or not options[name].HasField("list_value"):
        raise InvalidQuery(f"node.metadata.originmap.{name} must be a list of texts")
    return texts


def _read_delta(request: discovery_pb2.DeltaDiscoveryRequest, stream: ResourceStream) -> Asked:
    added, versions = request.resource_names_subscribe, request.initial_resource_versions
    dropped = request.resource_names_unsubscribe
    _check(request.type_url, added, dropped, list(versions))
    return Asked(
        request.type_url,
        request.response_nonce,
        _error(request),
        added=[name for name in added if name != "*"],
        dropped=dropped,
        everything=request.type_url in _OF_ALL and (not added or "*" in added),
        versions=dict(versions),
    )


def _write_delta(response: Push) -> Message:
    message = discovery_pb2.DeltaDiscoveryResponse(
        type_url=response.type_url,
        nonce=response.nonce,
        system_version_info=response.version,
        removed_resources=response.removed,
    )
    for name, resource in response.changed.items():
        entry = message.resources.add(name=name, version=resource.version)
        entry.resource.MergeFromString(resource.content)
    return message


def _read_whole(request: discovery_pb2.DiscoveryRequest, stream: ResourceStream) -> Asked:
    names = set(request.resource_names) - {"*"}
    _check(request.type_url, request.resource_names)
    if request.type_url == HOST_TYPE:
        raise InvalidQuery("virtual hosts are discovered with DELTA_GRPC only")
    before = set(stream.names(request.type_url))
    return Asked(
        request.type_url,
        request.response_nonce,
        _error(request),
        added=names - before,
        dropped=before - names,
        everything=request.type_url == CLUSTER_TYPE and not names,
        version=request.version_info,
    )


def _write_whole(response: Push) -> Message:
    all_of_it = response.type_url == CLUSTER_TYPE
    found = response.whole if all_of_it else response.changed
    return discovery_pb2.DiscoveryResponse(
        type_url=response.type_url,
        nonce=response.nonce,
        version_info=response.version,
        resources=[Any.FromString(resource.content) for resource in found.values()],
    )


def _check(type_url: str, *several: Sequence[str]) -> None:
    if type_url not in TYPES:
        raise InvalidQuery(f"no resources of type {type_url[:_LONGEST_NAME]!r}")
    if sum(map(len, several)) > MOST_NAMES:
        raise InvalidQuery(f"more than {MOST_NAMES:,} resource names in a request")
    if any(len(name) > _LONGEST_NAME for names in several for name in names):
        raise InvalidQuery(f"a resource name of more than {_LONGEST_NAME} characters")


def _error(request: Message) -> str | None:
    """The client's text about a rejected response, in printable characters; None if it accepts
    it."""
    if not request.HasField("error_detail"):
        return None
    text = request.error_detail.message[:MAX_PROBLEM]
    shown = "".join(each if each.isprintable() else " " for each in text).strip()
    return shown or "rejected without a reason"


DELTA = Wire(True, _read_delta, _write_delta)
STATE_OF_THE_WORLD = Wire(False, _read_whole, _write_whole)
