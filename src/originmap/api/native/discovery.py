"""Envoy's xDS over REST: POST /v3/discovery:clusters, :endpoints and :routes.

Envoy defines the paths, which cannot be configured, and the form of the request. It sends its node
with each request; the node's metadata, under `originmap`, have the arguments of an export.
"""

from functools import partial
from typing import Annotated

import msgspec

from originmap.api.guard import Guard
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import read_large
from originmap.api.native.feed.files import Files
from originmap.api.native.zone_selection import ZoneSelection
from originmap.export.discovery import ResourceKind
from originmap.export.endpoint import read
from originmap.service.export.discovery import Discovery, Question
from originmap.service.turns import PIECE

MOST_NAMES = 10_000
"""Maximum of resource names in a request: more than the clusters of the largest topology."""


class _Options(msgspec.Struct, forbid_unknown_fields=True):
    zone: list[str] = []
    upstream: list[str] = []


class _Metadata(msgspec.Struct):
    originmap: _Options = msgspec.field(default_factory=_Options)


class _Locality(msgspec.Struct):
    zone: str = ""


class _Node(msgspec.Struct):
    locality: _Locality = msgspec.field(default_factory=_Locality)
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class _Asked(msgspec.Struct):
    """A DiscoveryRequest; its other members are ignored."""

    version_info: str = ""
    resource_names: Annotated[list[str], msgspec.Meta(max_length=MOST_NAMES)] = []
    node: _Node = msgspec.field(default_factory=_Node)


_DECODER = msgspec.json.Decoder(_Asked)


class Discover:
    """POST /v3/discovery:{kind}"""

    def __init__(
        self,
        guard: Guard,
        zones: ZoneSelection,
        discovery: Discovery,
        kind: ResourceKind,
        files: Files,
    ) -> None:
        self._guard = guard
        self._zones = zones
        self._discovery = discovery
        self._kind = kind
        self._files = files

    async def discover(self, request: Request) -> Response:
        """All resources of the kind, or the requested ones; 304 if the node has them already, so
        that Envoy keeps its configuration."""
        turns = self._discovery.turns
        body = await read_large(request, _DECODER, turns)
        options, colo = body.node.metadata.originmap, body.node.locality.zone.upper()
        listed = (body.resource_names, options.zone, options.upstream)
        self._guard.charge(request, sum(map(len, listed)))
        names = sorted(body.resource_names)
        if len(options.upstream) > PIECE:
            endpoints = await turns.on_thread(read, options.upstream)
        else:
            endpoints = read(options.upstream)
        question = Question(self._kind, body.version_info, names, colo or None, endpoints)
        caller = request.caller
        zones = partial(self._zones.of, request, caller, options.zone)
        chunks = await self._discovery.answer(question, zones, self._files.reader(caller))
        if chunks is None:
            return Response(status=304, content_type="")
        return Response(stream=await self._files.body(request, chunks))
