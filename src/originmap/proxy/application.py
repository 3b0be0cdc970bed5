"""Decides what becomes of a request: a read from a list, a write in a batch, or neither.

Everything that is not a plain read or a plain, valid write of one mapping is forwarded unchanged,
so that the API itself says what is wrong with it.
"""

import asyncio
import re
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

from originmap.api import errors
from originmap.api.application import refusal_response, refused
from originmap.api.http.request import Request
from originmap.api.http.response import Answer, Deferred, Response
from originmap.domain.errors import BodyTooLarge, InvalidAddress
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.proxy.call import ProxyCall, received
from originmap.proxy.reads import MappingReads
from originmap.proxy.upstream import NoAnswer, Upstream
from originmap.proxy.writes import MappingWrites, SentMapping, SingleWrite

MAX_FORWARDED = 8 << 20
"""Limit of a body in bytes."""
_LARGEST_MAPPING = 4096

_MAPPING = r"(/zones/([0-9a-f]{32})/origin/cloud_regions)/([^/]+)"
_ZONE = re.compile(r".*/zones/([0-9a-f]{32})(?:/|$)")
_CONDITIONS = (
    b"if-match",
    b"if-none-match",
    b"if-modified-since",
    b"if-unmodified-since",
    b"range",
)
_READING = ("GET", "HEAD", "OPTIONS")
_SENT = msgspec.json.Decoder(SentMapping)


class _Mapping(NamedTuple):
    """The path of a mapping."""

    zone_id: str
    address: Address
    target: str  # the path of the zone's list


class ProxyApplication:
    """The proxy. `base` is the path of the API; `patience` the seconds that the rate limit may
    delay a request."""

    def __init__(self, upstream: Upstream, base: str, fresh: float, patience: float) -> None:
        self.requests = 0
        self._upstream = upstream
        self._mapping_path = re.compile(f"({re.escape(base)}){_MAPPING}")
        self._patience = patience
        self._reads = MappingReads(upstream, fresh)
        self._writes = MappingWrites(upstream, self._reads)
        self._now = asyncio.get_running_loop().time

    def answer(self, request: Request) -> Answer | None:
        """The response to a request; None if its body has not arrived yet."""
        if max(request.length, request.received) > MAX_FORWARDED:
            return refused(request, BodyTooLarge())
        if not request.complete:
            return None
        self.requests += 1
        if not _can_be_forwarded(request.path):
            return refusal_response(errors.BAD_REQUEST)
        call = received(request, self._now() + self._patience)
        mapping = self._mapping(call)
        if mapping is not None and request.method == "GET":
            known = self._reads.known(call, mapping.zone_id, mapping.address)
            if known is not None:
                return known
        return self._answer(call, mapping)

    def made(self, request: Request, answer: Deferred) -> Response:
        """The response to `request` whose deferred result is ready."""
        return answer.make()

    async def _answer(self, call: ProxyCall, mapping: _Mapping | None) -> Response:
        try:
            return await self._passed(call, mapping)
        except NoAnswer as error:
            return error.response
        except Exception as error:
            return refused(call.request, error)

    async def _passed(self, call: ProxyCall, mapping: _Mapping | None) -> Response:
        """Raises NoAnswer, RateLimited."""
        if mapping is not None and call.request.method == "GET":
            return await self._reads.read(call, mapping.zone_id, mapping.address, mapping.target)
        write = _write(call, mapping)
        if write is not None:
            return await self._writes.write(write)
        if call.request.method in _READING:
            return await self._upstream.forward(call)
        try:
            return await self._upstream.forward(call)
        finally:
            zone = _ZONE.match(call.request.path)
            self._reads.invalidate(zone[1] if zone else None)

    def _mapping(self, call: ProxyCall) -> _Mapping | None:
        """The mapping that a plain request is for."""
        request = call.request
        match = self._mapping_path.fullmatch(request.path)
        if match is None:
            return None
        base, path, zone_id, text = match.groups()
        request.zone_id = zone_id
        if request.query or call.anonymous or any(name in request.headers for name in _CONDITIONS):
            return None
        address = _address(unquote(text))
        return None if address is None else _Mapping(zone_id, address, base + path)


def _can_be_forwarded(path: str) -> bool:
    """Whether a path means the same behind the origin of the API: without a slash at the start it
    could change the host, and `.` and `..` would be resolved on the way."""
    return path.startswith("/") and not {".", ".."} & set(path.split("/"))


def _write(call: ProxyCall, mapping: _Mapping | None) -> SingleWrite | None:
    """The write of one mapping that the API would accept, as far as the proxy can tell."""
    if mapping is None:
        return None
    item = _item(call.request, mapping.address)
    if item is None:
        return None
    return SingleWrite(call, mapping.zone_id, mapping.address, item, mapping.target)


def _item(request: Request, address: Address) -> SentMapping | str | None:
    if request.method == "DELETE":
        return None if request.body else addresses.text(address)
    if request.method != "PUT" or len(request.body) > _LARGEST_MAPPING:
        return None
    try:
        sent = _SENT.decode(request.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return sent if _address(sent.origin_ip) == address else None


def _address(text: str) -> Address | None:
    """The address of a text. None for an IPv4 address written as IPv6 too: not every API takes both
    for one."""
    try:
        address = addresses.parse(text)
    except InvalidAddress:
        return None
    return address if (":" in text) == (address[0] == 6) else None
