"""Applies faults to requests."""

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from originmap.api.application import refused
from originmap.api.http.head import head_of
from originmap.api.http.protocol import Connection
from originmap.api.http.request import Request
from originmap.api.http.response import Answer, Deferred, Response
from originmap.dev.body_items import value_of
from originmap.dev.faults import CUT, DELAY, PARTIAL, Fault, injected
from originmap.dev.operations import Operation
from originmap.domain.errors import InvalidAddress, OriginmapError
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.batch import MAX_ITEMS

Handle = Callable[[Request], Answer]

_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER with a timeout of 0: closing the socket resets the connection."""
_SENT_SECONDS = 0.05  # enough for bytes to reach a client before the reset


def apply_fault(fault: Fault, operation: Operation, handle: Handle, request: Request) -> Answer:
    """The response to a request with a fault."""
    if fault.kind == DELAY:
        return _delayed(fault.seconds, handle, request)
    if fault.kind == CUT:
        return _cut(fault.when, handle, request)
    if fault.kind == PARTIAL:
        return _partial(fault, handle, request)
    status, body, content_type, headers = injected(operation, fault)
    return Response(body, status, headers, content_type)


async def _delayed(seconds: float, handle: Handle, request: Request) -> Response:
    await asyncio.sleep(seconds)
    return await _complete(handle, request)


async def _cut(when: str, handle: Handle, request: Request) -> Response:
    """Reset the connection: before the request is processed, after half of the response, or after
    all of it. The response is for the journal; the client does not get it again."""
    if when == "before":
        _reset(request)
        return Response(b"", 499)
    try:
        response = await _complete(handle, request)
    except OriginmapError as error:
        response = refused(request, error)
    whole = head_of(request, response, "", close=False) + response.body
    transport = _transport(request)
    if transport is not None and not transport.is_closing():
        transport.write(whole[: len(whole) // 2] if when == "during" else whole)
        await asyncio.sleep(_SENT_SECONDS)
    _reset(request)
    return response


async def _partial(fault: Fault, handle: Handle, request: Request) -> Response:
    """Process a batch without the chosen items, which fail with the text of an error."""
    value = value_of(request.body)
    items = value if isinstance(value, list) else []
    chosen = {index for index, item in enumerate(items) if _is_chosen(fault, index, item)}
    if not chosen or len(items) > MAX_ITEMS:
        return await _complete(handle, request)
    failed = [
        {"error": fault.message, "origin_ip": _ip(items[index]) or ""} for index in sorted(chosen)
    ]
    rest = [item for index, item in enumerate(items) if index not in chosen]
    result: dict[str, Any] = {"failed": [], "succeeded": []}
    envelope: dict[str, Any] = {"errors": [], "messages": [], "result": result, "success": True}
    if rest:
        request.body = msgspec.json.encode(rest)
        response = await _complete(handle, request)
        envelope = msgspec.json.decode(response.body)
    envelope["result"]["failed"] += failed
    return Response(msgspec.json.encode(envelope))


def _is_chosen(fault: Fault, index: int, item: Any) -> bool:
    if index in fault.items:
        return True
    address = _address(_ip(item))
    return address is not None and address in {_address(chosen) for chosen in fault.items}


def _ip(item: Any) -> str | None:
    ip = item.get("origin_ip") if isinstance(item, dict) else item
    return ip if isinstance(ip, str) else None


def _address(text: object) -> addresses.Address | None:
    try:
        return addresses.parse(text)
    except InvalidAddress:
        return None


async def _complete(handle: Handle, request: Request) -> Response:
    """The response of a handler, when it is there."""
    answer = handle(request)
    if isinstance(answer, Deferred):
        await asyncio.wait([answer.ready])
        return answer.make()
    return answer if isinstance(answer, Response) else await answer


def _transport(request: Request) -> asyncio.Transport | None:
    """The connection of a request; None in a test without sockets."""
    return request.link.transport if isinstance(request.link, Connection) else None


def _reset(request: Request) -> None:
    transport = _transport(request)
    if transport is None or transport.is_closing():
        return
    sock = transport.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    transport.abort()
