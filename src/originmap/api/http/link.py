"""The connection of a request, as handlers use it."""

import asyncio

from originmap.domain.errors import InvalidQuery


def chunk_of(data: bytes) -> bytes:
    """Encode a chunk (RFC 9112 §7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


_PROBE, _PROBE_SECONDS = chunk_of(b":\n\n"), 0.5


class Stream:
    """A connection with a chunked response in progress (RFC 9112 §7.1), for events that are written
    to many connections without a task for each."""

    __slots__ = ("_transport", "gone")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def unsent(self) -> int:
        """Bytes that the client has not read yet."""
        return self._transport.get_write_buffer_size()

    def write(self, chunk: bytes) -> None:
        """Send the result of `chunk_of`, unless the connection is closing."""
        if not self._transport.is_closing():
            self._transport.write(chunk)

    def probe(self) -> None:
        """Send two comments, which clients ignore: if the client has disconnected, the second one
        detects it."""
        self.write(_PROBE)
        asyncio.get_running_loop().call_later(_PROBE_SECONDS, self.write, _PROBE)

    def lost(self) -> None:
        """The client has disconnected."""
        if not self.gone.done():
            self.gone.set_result(None)


class Link:
    """The connection as handlers use it. This base class is for requests without a connection."""

    of_operator = False
    """Whether only the operator can send requests over it."""

    def leaving(self) -> asyncio.Future[None]:
        """A future that is done when the client has closed its side, so that a long poll ends."""
        return asyncio.get_running_loop().create_future()

    def cut(self) -> None:
        """Disconnect the client at once."""

    def stream(self) -> Stream:
        """Start a response that continues with writes to the stream. Raises InvalidQuery if the
        client does not support chunks."""
        raise InvalidQuery("events require HTTP/1.1")
