"""The wire: uvicorn's HTTP protocol with limits on what a client may send, and how slowly.

What is refused here never becomes a request, so it is answered here, in the envelope, with a
request id, and logged. uvicorn itself takes headers of any size and waits for them for ever.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from originmap.api import envelope, errors
from originmap.api.accesslog import AccessLog
from originmap.api.joined_writes import JoinedWrites
from originmap.api.request import Rays, RequestInfo

BAD_REQUEST = errors.refusal(400, 10400, "The request is not HTTP/1.1.")
URL_TOO_LONG = errors.refusal(414, 10414, "The URL is too long.")
HEADERS_TOO_LARGE = errors.refusal(431, 10431, "The request headers are too large.")
TOO_SLOW = errors.refusal(408, 10408, "The request did not arrive in time.")
TOO_MANY = errors.Refusal(
    503,
    [envelope.Message(10503, "The server is busy. Please try again.")],
    (("Retry-After", "1"),),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may send; sizes in bytes, times in seconds."""

    url: int = 8 << 10
    headers: int = 16 << 10
    header_seconds: float = 10.0  # from the first byte to the end of the headers
    body_seconds: float = 30.0  # from the end of the headers to the end of the body
    write_seconds: float = 30.0  # how long an answer may wait for a client to take it
    connections: int = 8192


def protocol_factory(
    limits: Limits, rays: Rays, log: AccessLog
) -> Callable[..., "LimitedProtocol"]:
    """What uvicorn makes a protocol with, for each connection."""

    def make(
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> LimitedProtocol:
        protocol = LimitedProtocol(config, server_state, app_state, _loop)
        protocol.limits, protocol.rays, protocol.log = limits, rays, log
        return protocol

    return make


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol; a timer runs only while a request is incomplete, so that one which
    arrives in a piece costs nothing."""

    limits: Limits
    rays: Rays
    log: AccessLog

    _refusal: errors.Refusal | None = None
    _in_headers = True  # a request line or headers are awaited or arriving
    _in_body = False
    _header_bytes = 0
    _timer: asyncio.TimerHandle | None = None
    _timer_of_body = False
    _write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connects."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._refuse(TOO_MANY)
        else:
            self._start_timer(self.limits.header_seconds, of_body=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever closed it."""
        self._stop_timer()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes arrive: a whole request, a part of one, or several."""
        if self.transport.is_closing():
            return
        if self._in_headers:
            self._header_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_headers and self._header_bytes > self.limits.headers + self.limits.url:
            self._refuse(URL_TOO_LONG if len(self.url) > self.limits.url else HEADERS_TOO_LARGE)
        elif self._in_headers and self._header_bytes:
            self._start_timer(self.limits.header_seconds, of_body=False)
        elif self._in_body:
            self._start_timer(self.limits.body_seconds, of_body=True)
        else:
            self._stop_timer()

    def on_message_begin(self) -> None:
        """A request line starts."""
        super().on_message_begin()
        self._in_headers = True

    def on_headers_complete(self) -> None:
        """The headers are all there: the request starts, unless they are over the limits."""
        self._in_headers, self._in_body, self._header_bytes = False, True, 0
        if len(self.url) > self.limits.url:
            self._refusal = URL_TOO_LONG
        elif sum(len(n) + len(v) + 4 for n, v in self.headers) > self.limits.headers:
            self._refusal = HEADERS_TOO_LARGE
        if self._refusal is not None:
            raise ValueError("refused")  # ends the parsing; answered by send_400_response
        super().on_headers_complete()
        self.cycle.transport = JoinedWrites(self.transport, self.loop)  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        """The body is all there; the next bytes are another request's."""
        super().on_message_complete()
        self._in_headers, self._in_body, self._header_bytes = True, False, 0

    def send_400_response(self, msg: str) -> None:
        """Answer what could not be parsed; uvicorn would do it in plain text."""
        self._refuse(self._refusal or BAD_REQUEST)

    def pause_writing(self) -> None:
        """The client does not take what is sent to it."""
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(
                self.limits.write_seconds, self.transport.abort
            )

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _start_timer(self, seconds: float, *, of_body: bool) -> None:
        """Start the timer of this phase, unless it runs: progress does not prolong it."""
        if self._timer is not None and self._timer_of_body == of_body:
            return
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self._on_too_slow)
        self._timer_of_body = of_body

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_too_slow(self) -> None:
        self._timer = None
        if self._header_bytes or self._in_body:
            self._refuse(TOO_SLOW)
        else:  # nothing of a request arrived: nobody waits for an answer
            self.transport.close()

    def _refuse(self, refusal: errors.Refusal) -> None:
        """Answer and close. An answer that has begun is cut off instead."""
        self._stop_timer()
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            started = cycle.response_started
            cycle.disconnected = True
            cycle.message_event.set()
            if started:
                self.transport.close()
                return
        info = RequestInfo(self.rays.next(), self.client[0] if self.client else "")
        self.transport.write(self._answer(refusal, info.ray))
        self.transport.close()
        method, path = "", ""
        if self.scope is not None:
            method = self.scope.get("method", "")
            path = bytes(self.url[:256]).decode("ascii", "replace").partition("?")[0]
        self.log.add(info, method, path, refusal.status)

    def _answer(self, refusal: errors.Refusal, ray: str) -> bytes:
        body = envelope.failure(refusal.errors)
        headers = [
            *refusal.headers,
            ("content-type", envelope.JSON),
            ("content-length", str(len(body))),
            ("cf-ray", ray),
            ("connection", "close"),
        ]
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers).encode()
        return STATUS_LINE[refusal.status] + lines + b"\r\n" + body
