"""A fake v4 API with any responses that a test sets."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from tests.http_thread import HTTPThread

ZONE = {"id": "023e105f4ecef8ad9ca31a8372d0c353", "name": "example.com"}


class Raw(NamedTuple):
    """A response that is not JSON."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = {}  # noqa: RUF012


Answer = Callable[[str, dict[str, str]], "Raw | dict[str, Any]"]
"""Returns the response for a path with its query; a dict is sent as JSON."""


class FakeAPI(HTTPThread):
    """A server for GET, POST and PUT on a free port; a context manager."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[str] = []
        super().__init__(_handler(self, answer))


def _handler(api: FakeAPI, answer: Answer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def do_GET(self) -> None:
            api.asked.append(self.path)
            parts = urlsplit(self.path)
            found = answer(parts.path, dict(parse_qsl(parts.query)))
            if isinstance(found, dict):
                found = Raw(200, json.dumps(found).encode(), {"Content-Type": "application/json"})
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body)

        def log_message(self, *args: object) -> None:
            pass

    return Handler
