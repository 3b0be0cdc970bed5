"""The headers that a proxy passes on, and those that belong to one connection (RFC 9110 §7.6.1)."""

from collections.abc import Iterable

import httpx

from originmap.api.http.request import Request
from originmap.api.http.response import Headers

_OF_A_CONNECTION = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
# The proxy sends these itself: it has the whole body, and has answered 100 Continue.
_OF_THE_REQUEST = {"host", "content-length", "expect"}
_OF_THE_RESPONSE = {"content-length", "date", "cf-ray"}


def forwarded_headers(request: Request) -> list[tuple[bytes, bytes]]:
    """The headers of a request for the API."""
    dropped = _OF_THE_REQUEST | _dropped(request.header(b"connection") or "")
    return [(name, value) for name, value in request.headers.items() if _text(name) not in dropped]


def relayed_headers(headers: httpx.Headers, *, decoded: bool) -> Headers:
    """The headers of a response for the caller, without its length; `decoded` if its body has been
    decompressed."""
    dropped = _OF_THE_RESPONSE | _dropped(headers.get("connection", ""))
    if decoded:
        dropped.add("content-encoding")
    pairs = ((_text(name), _text(value)) for name, value in headers.raw)
    return tuple((name, value) for name, value in pairs if name.lower() not in dropped)


def _dropped(connection: str) -> set[str]:
    return _OF_A_CONNECTION | set(_names(connection.split(",")))


def _names(parts: Iterable[str]) -> Iterable[str]:
    return (part.strip().lower() for part in parts if part.strip())


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")
