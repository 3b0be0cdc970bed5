"""Streams: answers that go on for as long as somebody listens.

The head and what there is already go the framework's way, which waits for a slow client. From
then on what is new is written to the connection at once: the protocol puts a way to do that into
the scope of a request.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from originmap.domain.errors import InvalidQuery

SCOPE_KEY = "originmap.stream"
LEAVING_KEY = "originmap.leaving"
"""Of a function in the scope of a request: a future that is done once its client sends nothing
more. Who waits for the client's sake stops waiting then, and answers."""
CUT_KEY = "originmap.cut"
"""Of a function in the scope of a request that ends its connection at once."""
GONE_KEY = "originmap.gone"
"""Of a function in the scope of a request: whether nobody is there any longer to be answered."""


class Stream:
    """The connection of an answer in chunks (RFC 9112 §7.1) that was begun."""

    __slots__ = ("_transport", "gone")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def unsent(self) -> int:
        """Bytes that wait for the client to take them."""
        return self._transport.get_write_buffer_size()

    def write(self, chunk: bytes) -> None:
        """Send what `chunk_of` made."""
        if not self._transport.is_closing():
            self._transport.write(chunk)

    def probe(self) -> None:
        """Send a comment, of which clients take no notice, and another: where there is nobody any
        more to take the first, the second finds that out."""
        self.write(PROBE)
        asyncio.get_running_loop().call_later(PROBE_SECONDS, self.write, PROBE)

    def lost(self) -> None:
        """The connection is gone."""
        if not self.gone.done():
            self.gone.set_result(None)


def chunk_of(data: bytes) -> bytes:
    """A chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


PROBE, PROBE_SECONDS = chunk_of(b":\n\n"), 0.5


async def unread() -> AsyncIterator[bytes]:
    """The body of an answer to HEAD. That there is one keeps the framework from announcing that
    GET would send nothing: how long the body is, nobody knows beforehand (RFC 9110 §9.3.2)."""
    return
    yield b""


def stream_of(scope: dict[str, Any]) -> Stream:
    """The connection of a request. Raises InvalidQuery where none can be had."""
    make = scope.get(SCOPE_KEY)
    if make is None or scope.get("http_version") != "1.1":
        raise InvalidQuery("events need a connection of HTTP/1.1")
    stream = make()
    assert isinstance(stream, Stream)
    return stream
