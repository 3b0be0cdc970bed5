"""A connection: reads requests, has each answered in turn, and writes the answers.

uvicorn runs the process; it makes one of these for each connection and tells it to shut down.
Requests that arrive behind one that is being answered wait, and reading stops meanwhile.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from uvicorn.server import ServerState

from originmap.api.access_log import AccessLog
from originmap.api.errors import Refusal
from originmap.api.http.application import Application, refusal_response
from originmap.api.http.limits import INCOMPLETE, TOO_MANY, TOO_SLOW, Limits
from originmap.api.http.link import Stream
from originmap.api.http.pending import Pending
from originmap.api.http.reader import Head, Reader, Refused
from originmap.api.http.request import Request, RequestIDs
from originmap.api.http.response import Answer, Body, Deferred, Response
from originmap.api.http.router import MAX_BODY
from originmap.api.http.transport import SafeTransport
from originmap.api.http.writer import Writer
from originmap.domain.errors import InvalidQuery

_LOG = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 75
_LINGER_SECONDS = 1.0
_LOGGED_URL = 256
_CLIENT_GONE = 499  # as nginx logs it


class Context(NamedTuple):
    """What all connections of a server share."""

    application: Application
    limits: Limits
    ids: RequestIDs
    log: AccessLog
    of_operator: bool = False  # only the operator can connect


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, context: Context, state: ServerState) -> None:
        self._application, self._limits, self._ids, self._log, self._of_operator = context
        self._state = state
        self._loop = asyncio.get_running_loop()
        self._reader = Reader(self._limits, self._on_head, self._on_body, self._on_end)
        self.transport: SafeTransport = None  # type: ignore[assignment]
        self._writer: Writer = None  # type: ignore[assignment]  # both from connection_made on
        self._client = ""
        self._waiting: deque[Pending] = deque()
        self._active: Pending | None = None  # is being answered
        self._advancing = False
        self._closing = False  # nothing that arrives now is a request
        self._last = False  # close after the answer that is being made
        self._refusal: Refusal | None = None  # to be sent when everything before it is answered
        self._ended = False  # the client sends nothing more
        self._gone = False
        self._leaving: asyncio.Future[None] | None = None
        self._paused = False  # reading
        self._timer: asyncio.TimerHandle | None = None
        self._timed: object = None
        self._idle_since = 0.0
        self._stream: Stream | None = None

    # The transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connects."""
        self.transport = SafeTransport(transport)
        self._writer = Writer(self.transport, self._state, self._limits, self._advance)
        peer = transport.get_extra_info("peername")
        self._client = peer[0] if isinstance(peer, tuple) else ""
        self._state.connections.add(self)  # type: ignore[arg-type]
        if len(self._state.connections) > self._limits.connections:
            self._refuse(TOO_MANY)
        else:
            self._start_timer(self._limits.header_seconds, self._close_if_idle)

    def data_received(self, data: bytes) -> None:
        """Bytes arrive: a whole request, a part of one, or several."""
        if self._closing or self.transport.is_closing():
            return
        try:
            self._reader.feed(data)
        except Refused as refused:
            self._refuse(refused.refusal)
        self._advance()

    def eof_received(self) -> bool:
        """The client sends nothing more, and may still read (RFC 9293 §3.6): it gets the answers
        to what it sent. The connection stays open for them."""
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
        self._state.connections.discard(self)
        self._stop_timer()
        self._waiting.clear()
        self._leave()
        self._writer.resume()
        if self._stream is not None:
            self._stream.lost()
        # Or each connection would wait for the garbage collector.
        self._reader.close()
        self._writer.close()

    def pause_writing(self) -> None:
        """The client does not take what is sent to it."""
        self._writer.pause()

    def resume_writing(self) -> None:
        """It does again."""
        self._writer.resume()

    def shutdown(self) -> None:
        """The server stops: finish what is being answered or arriving, then close."""
        if self._active is None and not self._waiting:
            self.transport.close()
        else:
            self._last = True

    # Requests, as they arrive

    def _on_head(self, head: Head) -> None:
        request = Request(
            head.method, head.target, head.headers, self._client, self._ids.next(), head.version
        )
        request.link = self
        request.by_operator = self._of_operator
        self._waiting.append(Pending(head, request))

    def _on_body(self, data: bytes) -> None:
        pending = self._waiting[-1] if self._waiting else None
        if pending is None or pending.answered or pending.complete:
            return
        if not pending.body:
            pending.body = data  # mostly all of it
        else:
            if isinstance(pending.body, bytes):
                pending.body = bytearray(pending.body)
            pending.body += data
        pending.size = max(pending.size, len(pending.body))

    def _on_end(self) -> None:
        if self._waiting:
            pending = self._waiting[-1]
            pending.complete = True
            if pending.body:
                pending.request.body = bytes(pending.body)

    # Answers, in turn

    def _advance(self) -> None:
        """Answer what can be answered now."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._waiting and self._active is None and not self._writer.blocked:
                if not self._take(self._waiting[0]):
                    break
        finally:
            self._advancing = False
        self._settle()

    def _take(self, pending: Pending) -> bool:
        """Go on with the first request that waits; whether to look at the next."""
        if pending.complete:
            self._waiting.popleft()
            if not pending.answered:
                self._respond(pending, self._application.answer(pending.request))
            return True
        if pending.answered:
            return False
        if not pending.admitted or len(pending.body) > pending.head.length:  # in chunks it grows
            refused = self._application.admit(pending.request, pending.size)
            if refused is not None:
                pending.answered = True
                self._last = self._last or _unasked(pending)
                self._respond(pending, refused)
                return True
            pending.admitted = True
            if pending.head.continues and not pending.body:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return False

    def _respond(self, pending: Pending, answer: Answer) -> None:
        self._active = pending
        if isinstance(answer, Response):
            self._send(pending, answer)
            return
        if isinstance(answer, Deferred):
            ready, make = answer.ready, answer.make
        else:
            ready = self._loop.create_task(answer)
            make = ready.result
        self._state.tasks.add(ready)  # type: ignore[arg-type]
        ready.add_done_callback(partial(self._on_ready, pending, make))

    def _on_ready(
        self, pending: Pending, make: Callable[[], Response], ready: asyncio.Future[Any]
    ) -> None:
        self._state.tasks.discard(ready)
        if ready.cancelled():  # the server stops, and has waited long enough
            self.transport.abort()
            return
        self._send(pending, make())
        self._advance()

    def _send(self, pending: Pending, response: Response) -> None:
        if response.stream is not None:
            task = self._loop.create_task(self._send_stream(pending, response, response.stream))
            self._state.tasks.add(task)
            task.add_done_callback(self._state.tasks.discard)
            return
        close = self._last or not pending.head.keep_alive
        self._writer.send(pending.request, response, close=close)
        self._finish(pending, response.status)

    async def _send_stream(self, pending: Pending, response: Response, body: Body) -> None:
        request = pending.request
        self._last = self._last or request.version != "1.1"
        try:
            close = self._last or not pending.head.keep_alive
            await self._writer.send_stream(request, response, body, close=close)
        except Exception as error:
            _LOG.error("internal error", exc_info=error, extra={"data": {"ray": request.id}})
            self.transport.close()
        finally:
            await body.aclose()
            self._finish(pending, response.status)
        self._advance()

    def _finish(self, pending: Pending, status: int) -> None:
        self._log.add(pending.request, _CLIENT_GONE if self._gone else status)
        self._state.total_requests += 1
        self._active = self._stream = None
        self._idle_since = self._loop.time()
        if self._last or not pending.head.keep_alive:
            self._closing = True
            self._waiting.clear()
            if pending.complete:
                self.transport.close()
            else:
                self._linger()

    # What a handler may ask of the connection: a `Link`

    def gone(self) -> bool:
        """As `Link.gone`."""
        return self._gone

    def leaving(self) -> asyncio.Future[None]:
        """As `Link.leaving`."""
        if self._leaving is None:
            self._leaving = self._loop.create_future()
            if self._ended or self._gone:
                self._leaving.set_result(None)
        return self._leaving

    def cut(self) -> None:
        """As `Link.cut`."""
        self.transport.abort()

    def stream(self) -> Stream:
        """As `Link.stream`."""
        assert self._active is not None
        if self._active.head.version != "1.1":
            raise InvalidQuery("events need a connection of HTTP/1.1")
        self._stream = Stream(self.transport)
        return self._stream

    def _leave(self) -> None:
        if self._leaving is not None and not self._leaving.done():
            self._leaving.set_result(None)

    # Refusals of what is not a request

    def _refuse(self, refusal: Refusal) -> None:
        """Answer and close, after the answers to the requests before."""
        self._closing = True
        self._refusal = refusal
        if self._waiting and not self._waiting[-1].complete:
            pending = self._waiting.pop()  # this is the answer to it, unless there is one
            if pending.answered:
                self._refusal, self._last = None, True
                if self._active is None:
                    self.transport.close()
        self._settle()

    def _send_refusal(self, refusal: Refusal) -> None:
        head = self._reader.head
        url = head.url[:_LOGGED_URL].decode("ascii", "replace")
        request = Request(head.method, url, (), self._client, self._ids.next())
        self._writer.send(request, refusal_response(refusal), close=True)
        self._log.add(request, refusal.status)
        self._linger()

    def _linger(self) -> None:
        """Read and drop for a moment what the client still sends: closing with unread input
        resets the connection, and the answer could be lost with it (RFC 9112 §9.6)."""
        if not self.transport.is_closing():
            self.transport.write_eof()
            self._start_timer(_LINGER_SECONDS, self.transport.close)

    # Reading, and how long it may take

    def _settle(self) -> None:
        """Pause or resume reading, and have the right timer run."""
        unsettled = self._waiting or self._active or self._closing or self._ended or self._paused
        if self._timed == "idle" and not unsettled and self._reader.idle:
            return  # as after most requests
        if self.transport.is_closing():
            return
        if self._closing:
            if self._refusal is not None and self._active is None and not self._waiting:
                refusal, self._refusal = self._refusal, None
                self._send_refusal(refusal)
            return
        if self._ended and self._active is None and not self._waiting:
            self.transport.close()
            return
        behind = len(self._waiting) > (0 if self._active is None else 1)
        self._pause_reading(self._active is not None and behind)
        self._time()

    def _pause_reading(self, paused: bool) -> None:
        if paused is not self._paused:
            self._paused = paused
            (self.transport.pause_reading if paused else self.transport.resume_reading)()

    def _time(self) -> None:
        reader, limits = self._reader, self._limits
        if self._active is None and self._waiting:
            state: object = ("body", reader.begun)
            seconds, then = limits.body_seconds, self._on_too_slow
        elif self._active is None and not reader.idle:
            state, seconds, then = ("head", reader.begun), limits.header_seconds, self._on_too_slow
        else:
            state, seconds, then = "idle", KEEP_ALIVE_SECONDS, self._close_if_idle
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

    def _on_too_slow(self) -> None:
        self._refuse(TOO_SLOW)

    def _close_if_idle(self) -> None:
        """Nothing of a request has arrived: nobody waits for an answer. The timer is not started
        anew for each request, so it may find that there was one meanwhile."""
        idle = self._loop.time() - self._idle_since
        if self._active is None and (not self._reader.begun or idle >= KEEP_ALIVE_SECONDS):
            self.transport.close()
        else:
            self._start_timer(max(KEEP_ALIVE_SECONDS - idle, 1.0), self._close_if_idle)


def _unasked(pending: Pending) -> bool:
    """Whether the client may never send the body, so that nothing behind it can be read."""
    return (pending.head.continues or pending.head.length > MAX_BODY) and not pending.body


def connection_factory(context: Context) -> Callable[..., Connection]:
    """What uvicorn makes a protocol with, for each connection."""
    return lambda server_state, **_: Connection(context, server_state)
