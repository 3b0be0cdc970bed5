"""A receiver of webhooks on a thread, which answers as the test says."""

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

import msgspec

from tests.http_thread import HTTPThread


class Received(NamedTuple):
    """A request."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return msgspec.json.decode(self.body)

    @property
    def id(self) -> str:
        """The ID of the message."""
        return self.headers["webhook-id"]


class Receiver(HTTPThread):
    """Keeps each request; a context manager. `statuses` are the next answers, then 204; while
    `hanging`, there is none."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.statuses: list[int] = []
        self.hanging = False
        self.endless = False
        self.released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append(Received(self.path, headers, body))
                if receiver.hanging:
                    receiver.released.wait(30)
                    return
                status = receiver.statuses.pop(0) if receiver.statuses else 204
                self.send_response(status)
                if status in (301, 302, 307):
                    self.send_header("location", "/elsewhere")
                if receiver.endless:
                    self.end_headers()
                    while not receiver.released.is_set():
                        self.wfile.write(b"x" * 65536)
                    return
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Print nothing."""

        super().__init__(Handler)

    @property
    def url(self) -> str:
        """The URL of a hook."""
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def of_kind(self, kind: str) -> list[Received]:
        """The requests about this kind of change."""
        return [received for received in list(self.received) if received.json["kind"] == kind]

    def __exit__(self, *failure: Any) -> None:
        self.released.set()
        super().__exit__(*failure)
