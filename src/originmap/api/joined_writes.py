"""Sends an answer's head and body in one write.

uvicorn writes them one after the other; each write is a system call and a packet, and wakes the
client for a part that it cannot use yet. The head waits for the body here, at most until the
event loop's next turn, so that a stream still starts at once.
"""

import asyncio
from typing import Any


class JoinedWrites:
    """Stands where uvicorn expects the transport of one request's answer."""

    __slots__ = ("_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        """Hold the first write back, join the second to it, pass on the others."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head + data)
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            self._loop.call_soon(self.flush)
        else:
            self._transport.write(data)

    def flush(self) -> None:
        """Send a head that still waits: nothing followed it in this turn."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def close(self) -> None:
        """Send what waits, then close."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """As the transport's."""
        return self._transport.is_closing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
