"""A connection under the protocol: how it begins and ends, its timers, and refusals on it.

What is refused here never becomes a request, so it is answered here, in the envelope, with a
request id, and logged. uvicorn itself waits for clients for ever, and drops the answers of a client
that has ended its side of the connection.
"""

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from originmap.api import envelope, errors
from originmap.api.accesslog import AccessLog
from originmap.api.limits import INCOMPLETE, TOO_MANY, TOO_SLOW, Limits
from originmap.api.phase import Phase
from originmap.api.quick import lines
from originmap.api.request import Rays, RequestInfo
from originmap.api.stream import Stream
from originmap.api.transport import SafeTransport

_LOGGED_URL = 256
_LINGER_SECONDS = 1.0
_RESPONSE = b"%b%bcontent-length: %d\r\ncontent-type: application/json\r\ncf-ray: %b\r\n%b\r\n%b"


class LimitedConnection(HttpToolsProtocol):
    """uvicorn's protocol, with `limits` on how slow a client may be and how many there are."""

    limits: Limits
    rays: Rays
    log: AccessLog
    url = b""

    _phase = Phase.IDLE
    _raw_bytes = 0  # received in this phase
    _common: list[tuple[bytes, bytes]] | None = None  # headers of every answer
    _common_lines = b""
    _refusal: errors.Refusal | None = None
    _timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None
    _stream: Stream | None = None
    _leaving: asyncio.Future[None] | None = None
    _is_refused = False  # whether the refusal was sent
    _ended = False  # whether the client sends nothing more
    _gone = False

    # The transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connects."""
        super().connection_made(SafeTransport(transport))  # type: ignore[arg-type]
        if len(self.connections) > self.limits.connections:
            self._refuse(TOO_MANY)
        else:
            self._start_timer(self.limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever closed it."""
        self._gone = True
        self._stop_timer()
        self.resume_writing()
        self._leave()
        if self._stream is not None:
            self._stream.lost()
        super().connection_lost(exc)
        # They refer back to this: each connection would wait for the garbage collector.
        self.cycle = self.scope = self._stream = None  # type: ignore[assignment]
        self.pipeline.clear()

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends nothing more, and may still read (RFC 9293 §3.6): it gets the answers
        to what it sent. Whether the connection stays open for them."""
        if self.transport.is_closing() or self._ended:
            return True
        self._ended = True
        self._leave()
        if self._is_refused or (self._phase is Phase.IDLE and self._is_idle()):
            self.transport.close()
        elif self._phase is not Phase.IDLE and self._refusal is None:
            self._refuse(INCOMPLETE)
        elif self._stream is not None:
            self._stream.probe()
        return True

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def leaving(self) -> asyncio.Future[None]:
        """Done once the client sends nothing more: it has gone, or waits for its answer alone."""
        if self._leaving is None:
            self._leaving = self.loop.create_future()
            if self._ended or self._gone:
                self._leaving.set_result(None)
        return self._leaving

    def _leave(self) -> None:
        if self._leaving is not None and not self._leaving.done():
            self._leaving.set_result(None)

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

    def _make_stream(self) -> Stream:
        """For an answer that is written past the framework once it has begun."""
        self._stream = Stream(self.transport)
        return self._stream

    def _response(self, status: int, headers: bytes, body: bytes, info: RequestInfo) -> bytes:
        """An answer in JSON as it is sent; `headers`, each with its end of line, are its own."""
        common = self.server_state.default_headers
        if common is not self._common:  # uvicorn makes them anew each second
            self._common = common
            self._common_lines = b"".join([b"%b: %b\r\n" % header for header in common])
        sizes = (len(body), info.ray.encode())
        return _RESPONSE % (STATUS_LINE[status], self._common_lines, *sizes, headers, body)

    # Refusals

    def on_response_complete(self) -> None:
        """An answer is out; a refusal of what came behind its request may have waited for it."""
        last = not self.pipeline
        super().on_response_complete()
        if not last or self.transport.is_closing():
            return
        if self._refusal is not None:
            self._send(self._refusal)
        elif self._ended:
            self.transport.close()

    def _refuse(self, refusal: errors.Refusal) -> None:
        """Answer and close, after the answers to requests before this one.

        Of a request whose body is still arriving this is the answer, unless that has begun: then
        it is cut off.
        """
        self._stop_timer()
        self._refusal = refusal
        cycle = self.cycle
        if self._phase is not Phase.BODY:
            if self._is_idle():
                self._send(refusal)
            # else on_response_complete sends it
        elif self.pipeline:
            self.pipeline.popleft()  # this request; on_response_complete answers for it
        elif cycle.response_started:
            self.transport.close()
        else:
            cycle.disconnected = True
            cycle.message_event.set()
            self._send(refusal)

    def _send(self, refusal: errors.Refusal) -> None:
        self._is_refused = True
        self._unset_keepalive_if_required()
        info = RequestInfo(self.rays.next(), self.client[0] if self.client else "")
        headers = lines(refusal.headers) + b"connection: close\r\n"
        body = envelope.failure(refusal.errors)
        self.transport.write(self._response(refusal.status, headers, body, info))
        # What the client still sends is read and dropped for a moment: closing with unread input
        # resets the connection, and the answer could be lost with it (RFC 9112 §9.6).
        self.transport.write_eof()
        if self._ended:
            self.transport.close()
        else:
            self._start_timer(_LINGER_SECONDS, self.transport.close)
        method = self.scope.get("method", "") if self.scope is not None else ""
        path = self.url[:_LOGGED_URL].decode("ascii", "replace").partition("?")[0]
        self.log.add(info, method, path, refusal.status)

    # Timers

    def _start_timer(self, seconds: float, then: Callable[[], None] | None = None) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, then or self._on_too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_too_slow(self) -> None:
        self._timer = None
        if self._raw_bytes or self._phase is not Phase.IDLE:
            self._refuse(TOO_SLOW)
        else:  # nothing of a request arrived: nobody waits for an answer
            self.transport.close()
