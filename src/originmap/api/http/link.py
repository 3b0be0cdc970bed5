"""What a request's connection can do besides carrying the answer."""

import asyncio

from originmap.domain.errors import InvalidQuery


def chunk_of(data: bytes) -> bytes:
    """A chunk (RFC 9112 §7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


_PROBE, _PROBE_SECONDS = chunk_of(b":\n\n"), 0.5


class Stream:
    """A connection on which an answer in chunks has begun (RFC 9112 §7.1), for events that are
    written to many connections at once, without a task for each."""

    __slots__ = ("_transport", "gone")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def unsent(self) -> int:
        """Bytes that the client has not taken yet."""
        return self._transport.get_write_buffer_size()

    def write(self, chunk: bytes) -> None:
        """Send what `chunk_of` made, unless the connection is closing."""
        if not self._transport.is_closing():
            self._transport.write(chunk)

    def probe(self) -> None:
        """Send a comment, which clients ignore, and another: if nobody is there to take the
        first, the second finds that out."""
        self.write(_PROBE)
        asyncio.get_running_loop().call_later(_PROBE_SECONDS, self.write, _PROBE)

    def lost(self) -> None:
        """The client has disconnected."""
        if not self.gone.done():
            self.gone.set_result(None)


class Link:
    """The connection, as handlers see it; this one is that of a request that came over none."""

    of_operator = False
    """Whether only the operator can send requests over it."""

    def leaving(self) -> asyncio.Future[None]:
        """Done once the client sends nothing more: a wait for its sake ends then, and is
        answered."""
        return asyncio.get_running_loop().create_future()

    def cut(self) -> None:
        """Disconnect the client at once."""

    def stream(self) -> Stream:
        """For an answer that goes on with what is written to it. Raises InvalidQuery if the
        client does not take chunks."""
        raise InvalidQuery("events need a connection of HTTP/1.1")
