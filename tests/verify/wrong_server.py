"""A proxy in front of a correct server that distorts responses."""

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from tests.http_thread import HTTPThread


@dataclass
class Passing:
    """A request with its response, which can be changed. `body` is JSON, or None."""

    method: str
    path: str
    sent: bytes
    status: int = 0
    headers: dict[str, str] | None = None
    body: Any = None

    @property
    def failed_login(self) -> bool:
        """Whether the response says that a well-formed credential is unknown."""
        errors = (self.body or {}).get("errors") or [{}]
        return errors[0].get("message") in _FAILED_LOGINS


NO_ANSWER = 0
"""The pseudo-status for closing the connection without a response."""
_FAILED_LOGINS = {
    "Authentication error",
    "Invalid access token",
    "Invalid API Token",
    "Unknown X-Auth-Key or X-Auth-Email",
}

Hook = Callable[[Passing], None]


class WrongServer(HTTPThread):
    """Forwards requests to `target`; a context manager. `before` is called with each request,
    `distort` with each response.
    """

    def __init__(
        self, target: str, distort: Hook | None = None, before: Hook | None = None
    ) -> None:
        self.seen: list[Passing] = []
        self.distort = distort or (lambda passing: None)
        self.before = before or (lambda passing: None)
        self.target = urlsplit(target)
        super().__init__(_handler(self))

    @property
    def port(self) -> int:
        return self.server.server_port


def _handler(server: WrongServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet per response
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length") or 0))
            passing = Passing(self.command, self.path, sent)
            server.seen.append(passing)
            server.before(passing)
            self._pass_on(passing)
            server.distort(passing)
            if passing.status == NO_ANSWER:
                self.close_connection = True
                return
            text = b"" if passing.body is None else json.dumps(passing.body).encode()
            self.send_response_only(passing.status)
            for name, value in (passing.headers or {}).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_PUT = do_DELETE = do_POST = do_PATCH = do_OPTIONS = do_HEAD = handle_any

        def _pass_on(self, passing: Passing) -> None:
            assert server.target.hostname
            there = http.client.HTTPConnection(server.target.hostname, server.target.port, 30)
            there.putrequest(self.command, passing.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                there.putheader(name, value)
            there.endheaders(passing.sent)
            answer = there.getresponse()
            body = answer.read()
            passing.status = answer.status
            passing.headers = {
                name.lower(): value
                for name, value in answer.getheaders()
                if name.lower() not in ("content-length", "connection", "date", "transfer-encoding")
            }
            passing.body = json.loads(body) if body else None
            there.close()

        def log_message(self, *_: object) -> None:
            pass

    return Handler
