"""Reads requests from the bytes of a connection, and refuses what is beyond the limits.

httptools parses. It takes heads of any size, and stops at an offer to change to another
protocol, which is declined here by going on in this one (RFC 9110 §7.8).
"""

import re
from collections.abc import Callable
from typing import NoReturn

import httptools

from originmap.api.errors import Refusal
from originmap.api.http.limits import (
    BAD_HOST,
    BAD_REQUEST,
    HEADERS_TOO_LARGE,
    URL_TOO_LONG,
    Limits,
)
from originmap.domain.number import whole

_LONGEST_BODY = 1 << 53  # announced: refused, but long before it is there
# RFC 9110 §7.2: uri-host [ ":" port ], which may be empty.
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]*)(?::[0-9]*)?")


class Refused(Exception):
    """What arrived is not a request that can be answered; it ends the connection."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


class Head:
    """The request line and the headers, names in lower case."""

    method = ""
    url = b""  # as it was sent
    target = ""  # the path and the query
    version = "1.1"
    length = 0  # of the body, as announced
    chunked = False  # whether the body comes in chunks instead
    continues = False  # whether the client waits to be told to send the body
    keep_alive = True

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []


class Reader:
    """Parses what `feed` is given, and calls `on_head`, `on_body` for each piece of a body, and
    `on_end` of each request."""

    def __init__(
        self,
        limits: Limits,
        on_head: Callable[[Head], None],
        on_body: Callable[[bytes], None],
        on_end: Callable[[], None],
    ) -> None:
        self._limits = limits
        self._on_head, self.on_body, self._on_end = on_head, on_body, on_end
        self._parser = httptools.HttpRequestParser(self)
        # Or a request behind one that closes the connection would spoil the answer to that.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.head = Head()
        self.begun = 0  # requests on this connection
        self.in_body = False
        self._in_head = False
        self._header_bytes = 0
        self._hosts = 0
        self._host = b""
        self._raw_bytes = 0  # received in this phase of a request
        self._owed = 0  # bytes of a body that the parser does not look for, behind an offer
        self._refusal: Refusal | None = None

    @property
    def idle(self) -> bool:
        """Whether no byte of a request has arrived since the last one ended."""
        return not self.in_body and not self._in_head and not self._raw_bytes

    def feed(self, data: bytes) -> None:
        """Parse. Raises Refused."""
        self._raw_bytes += len(data)
        try:
            while data:
                if self._owed:
                    data = self._take_owed(data)
                try:
                    self._parser.feed_data(data)
                except httptools.HttpParserUpgrade as upgrade:
                    data = data[upgrade.args[0] :]
                else:
                    break
        except httptools.HttpParserError:
            raise Refused(self._refusal or BAD_REQUEST) from None
        if not self.in_body and self._raw_bytes > self._limits.head:
            too_long = len(self.head.url) > self._limits.url
            raise Refused(URL_TOO_LONG if too_long else HEADERS_TOO_LARGE)
        if self.in_body and self._raw_bytes > self._limits.swallowed:
            raise Refused(BAD_REQUEST)

    def close(self) -> None:
        """Let go of what refers back to this."""
        del self._parser, self._on_head, self.on_body, self._on_end

    def _take_owed(self, data: bytes) -> bytes:
        """Hand on what of `data` is still owed of a body; the rest."""
        part, data = data[: self._owed], data[self._owed :]
        self._owed -= len(part)
        self.on_body(part)
        if not self._owed:
            self._end()
        return data

    # What the parser calls. An exception here ends its parsing.

    def on_message_begin(self) -> None:
        """A request line starts."""
        self.head = Head()
        self.begun += 1
        self._in_head, self._header_bytes, self._hosts = True, 0, 0

    def on_url(self, url: bytes) -> None:
        """The URL, or a piece of it."""
        self.head.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer behind a chunked body."""
        self._header_bytes += len(name) + len(value) + 4
        if self._header_bytes > self._limits.headers:
            self._refuse(HEADERS_TOO_LARGE)
        if self.in_body:
            return  # trailers mean nothing here
        name, head = name.lower(), self.head
        head.headers.append((name, value))
        if name == b"content-length":
            length = whole(value.decode("latin-1"), 0, _LONGEST_BODY)
            if length is None:
                self._refuse(BAD_REQUEST)
            head.length = length
        elif name == b"transfer-encoding":
            head.chunked = True
        elif name == b"host":
            self._hosts += 1
            if value != self._host:  # mostly that of the request before
                if not _HOST.fullmatch(value):
                    self._refuse(BAD_HOST)
                self._host = value
        elif name == b"expect" and value.lower() == b"100-continue":
            head.continues = True

    def on_headers_complete(self) -> None:
        """The head is there."""
        head, parser = self.head, self._parser
        head.version = parser.get_http_version()
        if len(head.url) > self._limits.url:
            self._refuse(URL_TOO_LONG)
        if head.version not in ("1.1", "1.0"):
            self._refuse(BAD_REQUEST)
        if self._hosts != 1 and (self._hosts or head.version == "1.1"):  # RFC 9112 §3.2
            self._refuse(BAD_HOST)
        if head.version == "1.0":
            head.continues = False  # RFC 9110 §10.1.1
        if parser.should_upgrade():
            if head.chunked:
                self._refuse(BAD_REQUEST)
            self._owed = head.length
        head.method = parser.get_method().decode("ascii")
        head.target = self._target_of(head.url)
        head.keep_alive = head.version == "1.1" and parser.should_keep_alive()
        self._in_head, self.in_body, self._raw_bytes = False, True, 0
        self._on_head(head)

    def on_message_complete(self) -> None:
        """The body is all there, unless some of it is owed."""
        if not self._owed:
            self._end()

    def _target_of(self, url: bytes) -> str:
        """The path and the query of a URL, which may name the host too (RFC 9112 §3.2.2)."""
        if not url.startswith(b"/") or b"#" in url:
            try:
                parsed = httptools.parse_url(url)
            except httptools.HttpParserInvalidURLError:
                self._refuse(BAD_REQUEST)
            if not parsed.path:
                self._refuse(BAD_REQUEST)
            url = parsed.path if parsed.query is None else parsed.path + b"?" + parsed.query
        return url.decode("ascii")

    def _end(self) -> None:
        self.in_body, self._raw_bytes = False, 0
        self._on_end()

    def _refuse(self, refusal: Refusal) -> NoReturn:
        self._refusal = refusal
        raise Refused(refusal)
