"""Transports as uvicorn expects them: one that bears a client that is gone, one for HTTP/1.0."""

import asyncio
from typing import Any

_CHUNKED = b"\r\ntransfer-encoding: chunked\r\n"


class SafeTransport:
    """Stands in for a connection's transport. Between a reset and the moment that the protocol
    hears of it, uvloop raises for whatever is done with a transport; here it does nothing."""

    __slots__ = ("_transport", "is_closing")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Send `data`, unless the connection is closing."""
        if not self.is_closing():
            self._transport.write(data)

    def write_eof(self) -> None:
        """Send nothing more."""
        if not self.is_closing():
            self._transport.write_eof()

    def pause_reading(self) -> None:
        """Take nothing more for now."""
        if not self.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take what comes again."""
        if not self.is_closing():
            self._transport.resume_reading()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class UnchunkedWrites:
    """Stands in for the transport of one answer to a request of HTTP/1.0, which knows no chunks
    (RFC 9112 §6.1): an answer without a length is ended by closing."""

    __slots__ = ("_chunked", "_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = True
        self._chunked = False

    def write(self, data: bytes) -> None:
        """Pass the head and the bytes on; uvicorn writes each chunk whole."""
        if self._head:
            self._head = False
            self._chunked = _CHUNKED in data
            data = data.replace(_CHUNKED, b"\r\n", 1)
        elif self._chunked:
            size, _, rest = data.partition(b"\r\n")
            data = rest[: int(size or b"0", 16)]
        if data:
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
