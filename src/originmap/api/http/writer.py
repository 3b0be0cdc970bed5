"""Writes answers to a connection, and waits for a client that does not take them."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from uvicorn.server import ServerState

from originmap.api.http.limits import Limits
from originmap.api.http.link import chunk_of
from originmap.api.http.patience import Patience
from originmap.api.http.request import Request
from originmap.api.http.response import Body, Response
from originmap.api.http.transport import SafeTransport

_STATUS_LINES = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode())
    for status in HTTPStatus
}
_LAST_CHUNK = b"0\r\n\r\n"


class Writer:
    """The writing side of a connection. `on_drained` is called when a client takes again what
    is sent to it."""

    def __init__(
        self,
        transport: SafeTransport,
        state: ServerState,
        limits: Limits,
        on_drained: Callable[[], None],
    ) -> None:
        self._transport = transport
        self._state = state
        self._limits = limits
        self._on_drained = on_drained
        self._loop = asyncio.get_running_loop()
        self._drained: asyncio.Future[None] | None = None  # while the client takes nothing
        self._timer: asyncio.TimerHandle | None = None
        self._common: list[tuple[bytes, bytes]] | None = None
        self._common_lines = b""

    @property
    def blocked(self) -> bool:
        """Whether the client has not taken enough of what was sent to it."""
        return self._drained is not None

    def pause(self) -> None:
        """The client takes nothing more for now."""
        self._drained = self._loop.create_future()
        self._timer = self._loop.call_later(self._limits.write_seconds, self._transport.abort)

    def resume(self) -> None:
        """It does again, or has disconnected."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._drained is not None:
            self._drained.set_result(None)
            self._drained = None
            self._on_drained()

    def close(self) -> None:
        """Let go of what refers back to this."""
        self._on_drained = _nothing

    def send(self, request: Request, response: Response, *, close: bool = False) -> None:
        """Send a whole answer; `close` tells the client that it is the last one."""
        body = b"" if request.method == "HEAD" else response.body
        self._transport.write(self._head(request, response, close) + body)

    async def send_stream(
        self, request: Request, response: Response, body: Body, *, close: bool
    ) -> None:
        """Send an answer piece by piece: in chunks, or, to HTTP/1.0, until the connection is
        closed. Ends early when the client has disconnected. Raises what `body` raises: the
        connection has to be closed then, so that the client sees that it is cut off."""
        chunked = request.version == "1.1"
        self._transport.write(self._head(request, response, close))
        if request.method == "HEAD":
            return
        patience = Patience(self._limits, self._transport.abort)
        async for data in body:
            if request.link.gone():
                return
            if data:
                self._transport.write(chunk_of(data) if chunked else data)
            if self._drained is not None:
                await patience.wait(self._drained, len(data))
            else:
                patience.sent(len(data))
        if chunked:
            self._transport.write(_LAST_CHUNK)

    def _head(self, request: Request, response: Response, close: bool) -> bytes:
        common = self._state.default_headers
        if common is not self._common:  # uvicorn makes them anew each second
            self._common = common
            self._common_lines = b"".join([b"%b: %b\r\n" % header for header in common])
        lines = f"cf-ray: {request.id}\r\n"
        for name, value in (*response.headers, *request.answer_headers):
            lines += f"{name.lower()}: {value}\r\n"
        if close:
            lines += "connection: close\r\n"
        return b"".join((
            _STATUS_LINES[response.status],
            self._common_lines,
            _framing(request, response),
            lines.encode("latin-1"),
            b"\r\n",
        ))  # fmt: skip


def _nothing() -> None:
    pass


def _framing(request: Request, response: Response) -> bytes:
    """The headers that tell where the body ends, and what it is."""
    if not response.content_type:
        return b""
    kind = response.content_type.encode("latin-1")
    if response.stream is None:
        return b"content-length: %d\r\ncontent-type: %b\r\n" % (len(response.body), kind)
    if request.version == "1.1":
        return b"content-type: %b\r\ntransfer-encoding: chunked\r\n" % kind
    return b"content-type: %b\r\n" % kind
