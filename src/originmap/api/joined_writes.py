"""Sends an answer's head and body in one write.

uvicorn writes them one after the other; each write is a system call and a packet, and wakes the
client for a part that it cannot use yet. Here a head that announces a body waits for it. A head
without an announced length belongs to a stream, which must start at once.
"""

import asyncio
from typing import Any

_BODILESS = (b"204", b"304")  # may carry a length for a body that does not come, RFC 9110 §8.6


class JoinedWrites:
    """Stands where uvicorn expects the transport of one request's answer. Not for HEAD, whose
    answers announce a body that does not come."""

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def write(self, data: bytes) -> None:
        """Hold a head back, join to it what comes next, pass on everything else."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head + data)
        elif _announces_body(data):
            self._head = data
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Send what waits, then close."""
        if self._head:
            self.write(b"")
        self._transport.close()

    def is_closing(self) -> bool:
        """As the transport's."""
        return self._transport.is_closing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def _announces_body(data: bytes) -> bool:
    is_head = data.startswith(b"HTTP/1.1 ") and data[9:12] not in _BODILESS
    return is_head and b"\r\ncontent-length: " in data
