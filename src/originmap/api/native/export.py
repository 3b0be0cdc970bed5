"""Exports for caches: GET /originmap/v1/export/{format}[/names|/family]."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from originmap.api import envelope
from originmap.api.http.request import Request
from originmap.api.http.response import Body, Response
from originmap.api.native.arguments import arguments
from originmap.api.native.feed.files import Files, nothing
from originmap.api.native.zone_selection import ZoneSelection
from originmap.domain.errors import InvalidAddress, InvalidQuery
from originmap.domain.hostname import is_hostname
from originmap.domain.mapping import address as addresses
from originmap.domain.zone.zone import Zone
from originmap.export.endpoint import Addresses
from originmap.service.chunks import Chunks
from originmap.service.export.exports import ExportRequest, Exports
from originmap.service.feed.followers import NAME

_KNOWN = ("zone", "colo", "file", "upstream", "address", "rollout", "node")
_OF_NODE = ("colo", "upstream")
_TAG = re.compile(r'(?<!W/)"[^"]*"')
_STATES = {None: False, "newest": False, "served": True}


class ExportFile:
    """GET /originmap/v1/export/{format}"""

    def __init__(self, zones: ZoneSelection, exports: Exports, files: Files) -> None:
        self._zones = zones
        self._exports = exports
        self._files = files

    async def get_export(self, request: Request) -> Response:
        """A file for one node, of each `zone` or of all that the credential can read; 304 if the
        client has it already."""
        values = arguments(request, _KNOWN)
        wanted = replace(
            _wanted(request, values),
            file=_one(values, "file"),
            addresses=_addresses(values.get("address", ())),
            served=_served(values),
            node=_one(values, "node"),
        )
        caller = request.caller
        zones = partial(self._zones.of, request, caller, values.get("zone", []))
        reader = self._files.reader(caller)
        chunks: Chunks | None = None
        await self._exports.tiers_at_hand()
        if self._exports.keeps_back(wanted):  # the ETag must be that of the earlier state
            export, chunks = await self._exports.begin(wanted, zones, reader)
        else:
            start = await self._exports.now()
            export = self._exports.prepare(wanted, zones(), start)
        has = _has(request, export.tag)
        if chunks is not None and (has or request.method == "HEAD"):
            await chunks.aclose()
        if has:
            return Response(status=304, headers=(("etag", export.tag),), content_type="")
        body: Body = nothing()
        if request.method != "HEAD":
            if chunks is None:
                export, chunks = await self._exports.begin(wanted, zones, reader)
            body = await self._files.body(request, chunks)
        headers = (("etag", export.tag),)
        return Response(headers=headers, content_type=export.file.media_type, stream=body)

    async def list_names(self, request: Request) -> Response:
        """The hostnames of upper tiers for which the format needs an `address`."""
        wanted = _wanted(request, arguments(request, _OF_NODE))
        await self._exports.tiers_at_hand()
        return Response(envelope.success(self._exports.names(wanted, self._all_zones(request))))

    async def list_family(self, request: Request) -> Response:
        """The further files of a format with their content, by name; they contain no mappings."""
        wanted = _wanted(request, arguments(request, _OF_NODE))
        await self._exports.tiers_at_hand()
        files = self._exports.family(wanted, self._all_zones(request))
        return Response(envelope.success({name: data.decode() for name, data in files.items()}))

    def _all_zones(self, request: Request) -> Sequence[Zone]:
        return self._zones.of(request, request.caller, [])


def _wanted(request: Request, values: dict[str, list[str]]) -> ExportRequest:
    """The format, for the node that the arguments describe."""
    colo = _one(values, "colo")
    upstreams = values.get("upstream", ())
    return ExportRequest(request.arguments["format"], None, colo and colo.upper(), upstreams)


def _addresses(given: Sequence[str]) -> Addresses:
    """Addresses of names, each as NAME=ADDRESS. Raises InvalidQuery."""
    addresses_by_name = dict[str, tuple[str, ...]]()
    for text in given:
        name, _, address = text.partition("=")
        try:
            known = addresses.text(addresses.parse(address)) if is_hostname(name) else ""
        except InvalidAddress:
            known = ""
        if not known:
            raise InvalidQuery(f"address must be NAME=ADDRESS, not {text!r}")
        addresses_by_name[name] = (*addresses_by_name.get(name, ()), known)
    return addresses_by_name


def _served(values: dict[str, list[str]]) -> bool:
    """Whether to export the state that nodes serve under a rollout."""
    value = _one(values, "rollout")
    if value not in _STATES:
        raise InvalidQuery(f"rollout must be served or newest, not {value!r}")
    if not _STATES[value] and "node" in values:
        raise InvalidQuery("node requires rollout=served")
    if not all(map(NAME.fullmatch, values.get("node", ()))):
        raise InvalidQuery("node must be up to 64 letters, digits and _ . : -")
    return _STATES[value]


def _one(values: dict[str, list[str]], name: str) -> str | None:
    """An argument that can occur at most once. Raises InvalidQuery."""
    given = values.get(name, [])
    if len(given) > 1:
        raise InvalidQuery(f"{name} can be given only once")
    return given[0] if given else None


def _has(request: Request, tag: str) -> bool:
    """Whether If-None-Match has the tag (RFC 9110 §13.1.2)."""
    header = request.header(b"if-none-match") or ""
    return header.strip() == "*" or tag in _TAG.findall(header)
