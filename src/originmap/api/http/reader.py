"""Reads requests from the bytes of a connection, and enforces the limits.

httptools parses. It accepts heads of any size, and stops at a request to upgrade to another
protocol; this module ignores the upgrade and continues in HTTP/1.1 (RFC 9110 §7.8).
"""

import re
from collections import deque
from functools import lru_cache
from typing import NoReturn

import httptools

from originmap.api.errors import BAD_HOST, BAD_REQUEST, HEADERS_TOO_LARGE, URL_TOO_LONG, Refusal
from originmap.api.http.limits import Limits
from originmap.api.http.link import Link
from originmap.api.http.request import Request
from originmap.api.request_ids import RequestIDs
from originmap.domain.number import whole

_LONGEST_BODY = 1 << 53  # in Content-Length; larger bodies are rejected at once
# RFC 9110 §7.2: uri-host [ ":" port ], which may be empty.
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]*)(?::[0-9]*)?")


@lru_cache(maxsize=1024)  # the bodies of a client mostly have a few lengths
def _length_of(value: bytes) -> int:
    """The Content-Length that `value` states. Raises ValueError if it is none, or too large; then
    it is not cached, because it may be long."""
    length = whole(value.decode("latin-1"), 0, _LONGEST_BODY)
    if length is None:
        raise ValueError
    return length


class RequestRefused(Exception):
    """The input is not a valid request; the connection ends."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


class RequestReader:
    """Parses the input of `feed`, and appends each request to `requests` when its head is
    complete; the body of the last one may be incomplete."""

    def __init__(self, limits: Limits, ids: RequestIDs, client: str, link: Link) -> None:
        self.requests = deque[Request]()
        self.begun = 0  # requests on this connection
        self.in_body = False
        self._limits, self._ids, self._client, self._link = limits, ids, client, link
        self._parser = httptools.HttpRequestParser(self)
        # Otherwise a request after one that closes the connection would replace its response.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._in_head = False
        self._raw_bytes = 0  # received in this phase of a request
        self._owed = 0  # bytes of a body that the parser does not read, after an upgrade request
        self._host = b""
        self._body = bytearray()
        self._refusal: Refusal | None = None
        self._forget_head()

    def _forget_head(self) -> None:
        self.method, self.url = "", b""  # as far as received; the URL as sent
        self._headers: dict[bytes, bytes] = {}
        self._header_bytes = self._hosts = self._length = 0
        self._continues = False

    @property
    def idle(self) -> bool:
        """Whether no byte of a request has arrived since the last one ended."""
        return not self.in_body and not self._in_head and not self._raw_bytes

    def feed(self, data: bytes) -> None:
        """Parse input. Raises RequestRefused."""
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
            raise RequestRefused(self._refusal or BAD_REQUEST) from None
        if not self.in_body and self._raw_bytes > self._limits.url + self._limits.headers:
            too_long = len(self.url) > self._limits.url
            raise RequestRefused(URL_TOO_LONG if too_long else HEADERS_TOO_LARGE)
        if self.in_body and self._raw_bytes > self._limits.swallowed:
            raise RequestRefused(BAD_REQUEST)

    def close(self) -> None:
        """Break the reference cycles."""
        self.requests.clear()
        del self._parser, self._link

    def _take_owed(self, data: bytes) -> bytes:
        """Take the outstanding bytes of a body from `data`; returns the rest."""
        part, data = data[: self._owed], data[self._owed :]
        self._owed -= len(part)
        self.on_body(part)
        if not self._owed:
            self._end()
        return data

    # Callbacks of the parser. An exception ends the parsing.

    def on_message_begin(self) -> None:
        """A request line starts."""
        self._forget_head()
        self.begun += 1
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        """The URL, or a part of it."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer after a chunked body."""
        self._header_bytes += len(name) + len(value) + 4
        if self._header_bytes > self._limits.headers:
            self._refuse(HEADERS_TOO_LARGE)
        if self.in_body:
            return  # trailers are ignored
        name, headers = name.lower(), self._headers
        if name == b"host":
            self._hosts += 1
            if value != self._host:  # mostly the same as in the last request
                self._take_host(value)
        elif name == b"content-length":
            self._take_length(value)
        elif name == b"expect" and value.lower() == b"100-continue":
            self._continues = True
        headers[name] = b"%b,%b" % (headers[name], value) if name in headers else value

    def _take_host(self, value: bytes) -> None:
        if not _HOST.fullmatch(value):
            self._refuse(BAD_HOST)
        self._host = value

    def _take_length(self, value: bytes) -> None:
        try:
            self._length = _length_of(value)
        except ValueError:
            self._refuse(BAD_REQUEST)

    def on_headers_complete(self) -> None:
        """The head is complete."""
        parser = self._parser
        version = parser.get_http_version()
        if len(self.url) > self._limits.url:
            self._refuse(URL_TOO_LONG)
        if version not in ("1.1", "1.0"):
            self._refuse(BAD_REQUEST)
        if self._hosts != 1 and (self._hosts or version == "1.1"):  # RFC 9112 §3.2
            self._refuse(BAD_HOST)
        if parser.should_upgrade():
            if b"transfer-encoding" in self._headers:
                self._refuse(BAD_REQUEST)
            self._owed = self._length
        self.method = parser.get_method().decode("ascii")
        target = self._target().decode("ascii")
        request = Request(
            self.method, target, self._headers, self._client, self._ids.next(), version, self._link
        )
        request.length = self._length
        request.continues = self._continues and version == "1.1"  # RFC 9110 §10.1.1
        request.keep_alive = version == "1.1" and parser.should_keep_alive()
        self._in_head, self.in_body, self._raw_bytes = False, True, 0
        self.requests.append(request)

    def on_body(self, data: bytes) -> None:
        """A part of a body."""
        request = self.requests[-1]
        request.received += len(data)
        if not request.answered:
            self._body += data

    def on_message_complete(self) -> None:
        """The body is complete, unless bytes are outstanding."""
        if not self._owed:
            self._end()

    def _target(self) -> bytes:
        """The path and the query of the URL, which may include the host (RFC 9112 §3.2.2)."""
        if self.url.startswith(b"/") and b"#" not in self.url:
            return self.url
        try:
            parsed = httptools.parse_url(self.url)
        except httptools.HttpParserInvalidURLError:
            self._refuse(BAD_REQUEST)
        if not parsed.path:
            self._refuse(BAD_REQUEST)
        path: bytes = parsed.path
        return path if parsed.query is None else path + b"?" + parsed.query

    def _end(self) -> None:
        self.in_body, self._raw_bytes = False, 0
        request = self.requests[-1]
        request.complete = True
        if self._body:
            request.body = bytes(self._body)
            self._body.clear()

    def _refuse(self, refusal: Refusal) -> NoReturn:
        self._refusal = refusal
        raise RequestRefused(refusal)
