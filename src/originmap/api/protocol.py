"""The wire: uvicorn's HTTP protocol with limits on what a client may send, and how slowly.

What is refused here never becomes a request, so it is answered here, in the envelope, with a
request id, and logged. uvicorn itself takes headers of any size, waits for them for ever, and
loses the body of a request that offers an upgrade.

A timer runs only while a request is incomplete: one that arrives in a piece costs nothing.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any, NoReturn

import httptools
from uvicorn.config import Config
from uvicorn.server import ServerState

from originmap.api import errors
from originmap.api.accesslog import AccessLog
from originmap.api.connection import LimitedConnection
from originmap.api.joined_writes import JoinedWrites
from originmap.api.limits import (
    ASKS_FIRST,
    BAD_HOST,
    BAD_REQUEST,
    HEADERS_TOO_LARGE,
    URL_TOO_LONG,
    Limits,
    too_long,
)
from originmap.api.phase import Phase
from originmap.api.quick import MAX_BODY, InFlight, Later, Quick, QuickAnswer
from originmap.api.request import Rays, RequestInfo
from originmap.api.stream import CUT_KEY, GONE_KEY, LEAVING_KEY
from originmap.api.stream import SCOPE_KEY as STREAM
from originmap.api.transport import UnchunkedWrites
from originmap.domain.number import whole

_LONGEST_BODY = 1 << 53  # announced: refused, but long before it is there
_PLAIN_BODIES = {b"GET": (0, 0), b"PUT": (1, MAX_BODY)}  # sizes with which the short way is tried
# RFC 9110 §7.2: uri-host [ ":" port ], which may be empty.
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]*)(?::[0-9]*)?")


class _RequestRefused(Exception):
    """Ends the parsing; raised inside of the parser's callbacks."""


def protocol_factory(
    limits: Limits, rays: Rays, log: AccessLog, quick: Quick | None = None
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
        protocol.quick = quick
        return protocol

    return make


class LimitedProtocol(LimitedConnection):
    """uvicorn's protocol with `limits` on what a client may send."""

    quick: Quick | None = None

    _begun = 0  # requests on this connection
    _header_bytes = 0  # names and values of this request
    _host: bytes | None = None  # what its Host header says
    _hosts = 0  # how many it has
    _length = 0  # of the body, as announced
    _chunked = False  # whether the body comes in chunks instead
    _owed = 0  # bytes of a body that the parser does not look for, behind an upgrade offer
    _held: bytes | None = None  # the body so far of a request that may go the short way

    def data_received(self, data: bytes) -> None:
        """Bytes arrive: a whole request, a part of one, or several."""
        if self.transport.is_closing() or self._refusal is not None:
            return
        self._unset_keepalive_if_required()
        before = self._phase, self._begun
        self._raw_bytes += len(data)
        self._parse(data)
        if self.transport.is_closing() or self._refusal is not None:
            return
        if self._phase is not Phase.BODY and self._raw_bytes > self.limits.head:
            self._refuse(URL_TOO_LONG if len(self.url) > self.limits.url else HEADERS_TOO_LARGE)
        elif self._phase is Phase.BODY and self._raw_bytes > self.limits.swallowed:
            self._refuse(BAD_REQUEST)
        elif self._phase is Phase.IDLE and not self._raw_bytes:
            self._stop_timer()
        elif (self._phase, self._begun) != before or self._timer is None:
            in_body, limits = self._phase is Phase.BODY, self.limits
            self._start_timer(limits.body_seconds if in_body else limits.header_seconds)

    # The parser

    def _parse(self, data: bytes) -> None:
        """Parse, past an offer to change to another protocol: it is declined by going on in
        this one (RFC 9110 §7.8), also with a body, which the parser then leaves to us."""
        try:
            while data:
                data = self._take_owed(data)
                try:
                    self.parser.feed_data(data)
                except httptools.HttpParserUpgrade as upgrade:
                    data = data[upgrade.args[0] :]
                else:
                    self._let_go()
                    return
        except (httptools.HttpParserError, _RequestRefused):
            self._refuse(self._refusal or BAD_REQUEST)

    def _take_owed(self, data: bytes) -> bytes:
        """Hand on what of `data` is still owed of a body; the rest."""
        if self._owed:
            part, data = data[: self._owed], data[self._owed :]
            self._owed -= len(part)
            self.on_body(part)
            if not self._owed:
                self._complete()
        return data

    def on_message_begin(self) -> None:
        """A request line starts; what a request is for the framework is made in `_begin`."""
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self.scope = None  # type: ignore[assignment]
        self._begun += 1
        self._phase, self._header_bytes = Phase.HEAD, 0
        self._length, self._chunked = 0, False
        self._hosts = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer behind a chunked body; as uvicorn's, and counts."""
        self._header_bytes += len(name) + len(value) + 4
        if self._header_bytes > self.limits.headers:
            self._give_up(HEADERS_TOO_LARGE)
        if self._phase is Phase.BODY:
            return  # trailers mean nothing here
        name = name.lower()
        self.headers.append((name, value))
        if name == b"content-length":
            length = whole(value.decode("latin-1"), 0, _LONGEST_BODY)
            if length is None:
                self._give_up(BAD_REQUEST)
            self._length = length
        elif name == b"transfer-encoding":
            self._chunked = True
        elif name == b"host":
            self._hosts += 1
            if value != self._host:  # mostly that of the request before
                if _HOST.fullmatch(value) is None:
                    self._give_up(BAD_HOST)
                self._host = value
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True

    def on_headers_complete(self) -> None:
        """The headers are all there: the request starts, unless it is beyond the limits."""
        if len(self.url) > self.limits.url:
            self._give_up(URL_TOO_LONG)
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            self._give_up(BAD_REQUEST)
        if self._hosts != 1 and (self._hosts or version == "1.1"):  # RFC 9112 §3.2
            self._give_up(BAD_HOST)
        if version == "1.0":
            self.expect_100_continue = False  # RFC 9110 §10.1.1
        if self.parser.should_upgrade():
            if self._chunked:
                self._give_up(BAD_REQUEST)
            self._owed = self._length
        elif self.quick is not None and self._is_plain():
            self._held = b""
            return
        self._begin()

    def _begin(self) -> None:
        """Start the request; its body may follow."""
        read = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = read
        self.scope["headers"] = self.headers
        super().on_headers_complete()
        self._phase, self._raw_bytes = Phase.BODY, 0
        self.scope[STREAM] = self._make_stream  # type: ignore[literal-required]
        # A transport that is closing still sends: only after it a file may end before its end.
        self.scope[GONE_KEY] = lambda: self._gone  # type: ignore[literal-required]
        self.scope[LEAVING_KEY] = self.leaving  # type: ignore[literal-required]
        self.scope[CUT_KEY] = self.transport.abort  # type: ignore[literal-required]
        if self.scope["method"] != "HEAD":
            transport: Any = self.transport
            if self.scope["http_version"] == "1.0":
                transport = UnchunkedWrites(transport)
            self.cycle.transport = JoinedWrites(transport)  # type: ignore[assignment]
        if self.expect_100_continue or too_long(self._length):
            self.scope[ASKS_FIRST] = True  # type: ignore[literal-required]

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self._held is None:
            super().on_body(body)
        else:
            self._held += body

    def _let_go(self) -> None:
        """Have what was held go the long way."""
        if self._held is not None:
            held, self._held = self._held, None
            self._begin()
            if held:
                self.on_body(held)

    def on_message_complete(self) -> None:
        """The body is all there, unless some of it is owed; what follows is another request."""
        if not self._owed:
            self._complete()

    def _complete(self) -> None:
        held, quick = self._held, self.quick
        if quick is None or held is None or not self._answer_quickly(quick, held):
            self._let_go()
            super().on_message_complete()
        self._held = None
        self._phase, self._raw_bytes = Phase.IDLE, 0

    # The short way

    def _is_plain(self) -> bool:
        """Whether this is a GET or a PUT of which the headers are there and the body is small, next
        to be answered, on a connection that stays open and takes answers."""
        least, most = _PLAIN_BODIES.get(self.parser.get_method(), (1, 0))
        return (
            least <= self._length <= most
            and (self.cycle is None or self.cycle.response_complete)
            and not self.pipeline
            and not self.flow.write_paused
            and not (self._chunked or self.expect_100_continue)
            and self.parser.should_keep_alive()
            and self.parser.get_http_version() == "1.1"  # keeping alive is announced in 1.0
        )

    def _answer_quickly(self, quick: Quick, body: bytes) -> bool:
        """Whether the request that is held is answered the short way, at once or later."""
        info = RequestInfo(self.rays.next(), self.client[0] if self.client else "")
        url = self.url
        if body:
            method, answer = "PUT", quick.put(url, self.headers, body, info)
        else:
            method, answer = "GET", quick.get(url, self.headers, info)
        if not isinstance(answer, QuickAnswer):
            return answer is not None and self._answer_later(answer, method, url, info)
        self.log.add(info, method, url.decode("ascii"), answer.status)
        self.transport.write(self._response(*answer, info))
        # As `on_response_complete`, of which nothing else matters to what never had to wait.
        self.server_state.total_requests += 1
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )
        return True

    def _answer_later(self, later: Later, method: str, url: bytes, info: RequestInfo) -> bool:
        self.cycle = in_flight = InFlight()  # type: ignore[assignment]
        tasks: set[asyncio.Future[Any]] = self.tasks  # type: ignore[assignment]
        tasks.add(later.ready)

        def done(ready: asyncio.Future[Any]) -> None:
            tasks.discard(ready)
            if ready.cancelled():  # the server stops, and waited long enough
                self.transport.abort()
                return
            answer = later.answer()
            in_flight.response_complete = True
            self.log.add(info, method, url.decode("ascii"), answer.status)
            if not self.transport.is_closing():
                self.transport.write(self._response(*answer, info))
            if not in_flight.keep_alive:
                self.transport.close()
            self.on_response_complete()

        later.ready.add_done_callback(done)
        return True

    def _give_up(self, refusal: errors.Refusal) -> NoReturn:
        self._refusal = refusal
        raise _RequestRefused

    def send_400_response(self, msg: str) -> None:
        """Answer what could not be parsed; uvicorn would do it in plain text."""
        self._refuse(BAD_REQUEST)
