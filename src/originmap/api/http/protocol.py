"""A connection: reads requests, processes them in order, and writes the responses.

Pipelined requests wait for the current one, and reading is paused meanwhile.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from originmap.api.access_log import AccessLog
from originmap.api.application import Processor, refusal_response
from originmap.api.connections import Connections
from originmap.api.errors import INCOMPLETE, TOO_MANY, TOO_SLOW, Refusal
from originmap.api.http.download_timeout import DownloadTimeout
from originmap.api.http.head import head_of
from originmap.api.http.limits import Limits
from originmap.api.http.link import Link, Stream, chunk_of
from originmap.api.http.reader import RequestReader, RequestRefused
from originmap.api.http.request import Request
from originmap.api.http.response import Answer, Body, Deferred, Response
from originmap.api.http.router import MAX_BODY
from originmap.api.request_ids import RequestIDs

_LOG = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 75.0
_LINGER_SECONDS = 1.0
_LOGGED_URL = 256
_CLIENT_GONE = 499  # as nginx logs it
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


class Context(NamedTuple):
    """The shared state of all connections of a server."""

    application: Processor
    limits: Limits
    ids: RequestIDs
    log: AccessLog
    of_operator: bool = False  # only the operator can connect


class Connection(asyncio.Protocol, Link):
    """One client."""

    transport: asyncio.Transport

    def __init__(self, context: Context, connections: Connections) -> None:
        self._application, self._limits, self._ids, self._log, self.of_operator = context
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._active: Request | None = None  # the current request
        self._closing = False  # ignore further input
        self._last = False  # close after the current response
        self._refusal: Refusal | None = None  # sent after the responses to earlier requests
        self._ended = False  # the client has closed its side
        self._gone = False
        self._leaving: asyncio.Future[None] | None = None
        self._paused = False  # reading
        self._drained: asyncio.Future[None] | None = None  # while the client does not read
        self._write_timer: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timed: object = None
        self._idle_since = 0.0
        self._stream: Stream | None = None

    # The transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self._client = peer[0] if isinstance(peer, tuple) else ""
        self._reader = RequestReader(self._limits, self._ids, self._client, self)
        self._waiting = self._reader.requests
        self._connections.open.add(self)
        self._last = self._connections.ending
        if len(self._connections.open) > self._limits.connections:
            self._refuse(TOO_MANY)
        else:
            seconds = _LINGER_SECONDS if self._last else self._limits.header_seconds
            self._start_timer(seconds, self._close_if_idle)

    def data_received(self, data: bytes) -> None:
        """Data has arrived: a part of a request, a request, or several."""
        if self._closing or self.transport.is_closing():
            return
        try:
            self._reader.feed(data)
        except RequestRefused as refused:
            self._refuse(refused.refusal)
        self._advance()

    def eof_received(self) -> bool:
        """The client has closed its side and may still read (RFC 9293 §3.6). The connection stays
        open for the responses to its requests."""
        if self._ended:
            return True
        self._ended = True
        self._leave()
        if self._stream is not None:
            self._stream.probe()
        if self._closing and self._active is None and not self._waiting:
            self.transport.close()
        elif not self._reader.idle and not self._closing:
            self._refuse(INCOMPLETE)
        else:
            self._settle()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed, by the client or by the server."""
        self._gone = self._closing = True
        self._connections.open.discard(self)
        self._stop_timer()
        self._leave()
        if self._stream is not None:
            self._stream.lost()
        self._reader.close()  # or each connection would wait for the garbage collector
        self.resume_writing()

    def pause_writing(self) -> None:
        """The write buffer is full: the client does not read."""
        self._drained = self._loop.create_future()
        seconds = self._limits.write_seconds
        self._write_timer = self._loop.call_later(seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads again, or has disconnected."""
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        if self._drained is not None:
            self._drained.set_result(None)
            self._drained = None
            self._advance()

    def shutdown(self) -> None:
        """The server stops: finish the current request, then close."""
        if self._active is None and not self._waiting:
            if not self._closing:  # otherwise it closes soon
                self.transport.close()
        else:
            self._last = True

    # Responses, in order

    def _advance(self) -> None:
        """Process the requests that are ready."""
        waiting = self._waiting
        while waiting and self._active is None and self._drained is None:
            request = waiting[0]
            if request.complete:
                waiting.popleft()
            elif request.answered or (request.admitted and request.received <= request.length):
                break  # a chunked body may have grown
            if request.answered:
                continue
            answer = self._application.answer(request)
            if answer is None:
                self._await_body(request)
                break
            if not request.complete:
                request.answered = True
                # The client may never send the body, so no later request could be read.
                if (request.continues or request.length > MAX_BODY) and not request.received:
                    self._last = True
            self._respond(request, answer)
        self._settle()

    def _await_body(self, request: Request) -> None:
        request.admitted = True
        if request.continues and not request.received:
            self._write(_CONTINUE)

    def _respond(self, request: Request, answer: Answer) -> None:
        if isinstance(answer, Response):
            self._send(request, answer)
            return
        self._active = request
        if not isinstance(answer, Deferred):
            task = self._loop.create_task(answer)
            answer = Deferred(task, task.result)
        self._connections.work.add(answer.ready)
        answer.ready.add_done_callback(partial(self._on_ready, request, answer))

    def _on_ready(self, request: Request, answer: Deferred, ready: asyncio.Future[Any]) -> None:
        self._connections.work.discard(ready)
        if ready.cancelled():  # the server stops, and its shutdown timeout has expired
            self.transport.abort()
            return
        self._send(request, self._application.made(request, answer))
        self._advance()

    def _send(self, request: Request, response: Response) -> None:
        if response.stream is not None:
            self._active = request
            task = self._loop.create_task(self._send_stream(request, response, response.stream))
            self._connections.work.add(task)
            task.add_done_callback(self._connections.work.discard)
            return
        self._send_whole(request, response)
        self._finish(request, response.status)

    def _send_whole(self, request: Request, response: Response) -> None:
        close = self._last or not request.keep_alive
        head = head_of(request, response, self._connections.common, close=close)
        self._write(head if request.method == "HEAD" else head + response.body)

    def _write(self, data: bytes) -> None:
        """Send `data`, unless the connection is closing: between a reset by the client and
        `connection_lost`, uvloop raises RuntimeError for that."""
        if not self.transport.is_closing():
            self.transport.write(data)

    async def _send_stream(self, request: Request, response: Response, body: Body) -> None:
        """Send a response in pieces. On failure the connection is closed, so that the client
        detects the incomplete response."""
        self._last = self._last or request.version != "1.1" or not request.keep_alive
        try:
            self._write(head_of(request, response, self._connections.common, close=self._last))
            if request.method != "HEAD":
                await self._write_body(body, chunked=request.version == "1.1")
        except Exception as error:
            _LOG.error("internal error", exc_info=error, extra={"data": {"ray": request.id}})
            self.transport.close()
        finally:
            await body.aclose()
            self._finish(request, response.status)
        self._advance()

    async def _write_body(self, body: Body, *, chunked: bool) -> None:
        """Write a body in chunks or, for HTTP/1.0, up to the end of the connection. Stops if the
        client disconnects."""
        timeout = DownloadTimeout(self._limits, self.transport.abort)
        async for data in body:
            if self._gone:
                return
            if data:
                self._write(chunk_of(data) if chunked else data)
            if self._drained is not None:
                await timeout.wait(self._drained, len(data))
            else:
                timeout.sent(len(data))
        if chunked:
            self._write(_LAST_CHUNK)

    def _finish(self, request: Request, status: int) -> None:
        self._log.add(request, _CLIENT_GONE if self._gone else status)
        self._active = self._stream = None
        self._idle_since = self._loop.time()
        if self._last or not request.keep_alive:
            self._closing = True
            self._waiting.clear()
            if request.complete:
                self.transport.close()
            else:
                self._linger()

    # The methods of `Link`, for handlers

    def leaving(self) -> asyncio.Future[None]:
        if self._leaving is None:
            self._leaving = self._loop.create_future()
            if self._ended or self._gone:
                self._leaving.set_result(None)
        return self._leaving

    def cut(self) -> None:
        self.transport.abort()

    def stream(self) -> Stream:
        assert self._active is not None
        if self._active.version != "1.1":
            return super().stream()
        self._stream = Stream(self.transport)
        return self._stream

    def _leave(self) -> None:
        if self._leaving is not None and not self._leaving.done():
            self._leaving.set_result(None)

    # Errors of invalid requests

    def _refuse(self, refusal: Refusal) -> None:
        """Send an error and close, after the responses to earlier requests."""
        self._closing = True
        self._refusal = refusal
        # It is the response to the incomplete request, unless that already has one.
        incomplete = self._waiting and not self._waiting[-1].complete
        if incomplete and self._waiting.pop().answered:
            self._refusal, self._last = None, True
            if self._active is None:
                self.transport.close()
        self._settle()

    def _send_refusal(self, refusal: Refusal) -> None:
        url = self._reader.url[:_LOGGED_URL].decode("ascii", "replace")
        request = Request(self._reader.method, url, {}, self._client, self._ids.next())
        request.keep_alive = False
        self._send_whole(request, refusal_response(refusal))
        self._log.add(request, refusal.status)
        self._linger()

    def _linger(self) -> None:
        """Discard further input for a moment: closing with unread input resets the connection,
        and the client could lose the response (RFC 9112 §9.6)."""
        if not self.transport.is_closing():
            self.transport.write_eof()
            self._start_timer(_LINGER_SECONDS, self.transport.close)

    # Reading and its timeouts

    def _settle(self) -> None:
        """Pause or resume reading, and start the right timer."""
        unsettled = self._waiting or self._closing or self._ended or self._paused
        if self._timed == "idle" and not unsettled and (self._active or self._reader.idle):
            return  # as mostly
        if self.transport.is_closing():
            return
        answered = self._active is None and not self._waiting
        if self._closing:
            if answered and self._refusal is not None:
                refusal, self._refusal = self._refusal, None
                self._send_refusal(refusal)
        elif self._ended and answered:
            self.transport.close()
        else:
            self._pause_reading()
            self._time()

    def _pause_reading(self) -> None:
        paused = self._active is not None and len(self._waiting) > 1
        if paused is not self._paused:
            self._paused = paused
            (self.transport.pause_reading if paused else self.transport.resume_reading)()

    def _time(self) -> None:
        state: object = "idle"
        seconds, then = KEEP_ALIVE_SECONDS, self._close_if_idle
        if self._active is None and (self._waiting or not self._reader.idle):
            limits, then = self._limits, partial(self._refuse, TOO_SLOW)
            seconds = limits.body_seconds if self._waiting else limits.header_seconds
            state = (bool(self._waiting), self._reader.begun)
        if state != self._timed:
            self._timed = state
            self._start_timer(seconds, then)

    def _start_timer(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = self._loop.call_later(seconds, then)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close_if_idle(self) -> None:
        """Close the connection if no request has arrived. The timer is not restarted for each
        request, so a request may have arrived since it started."""
        idle = self._loop.time() - self._idle_since
        if self._active is None and (not self._reader.begun or idle >= KEEP_ALIVE_SECONDS):
            self.transport.close()
        else:
            self._start_timer(max(KEEP_ALIVE_SECONDS - idle, 1.0), self._close_if_idle)
