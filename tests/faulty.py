"""A proxy in front of a real server that counts requests and injects faults."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import NamedTuple

import httpx

from tests.http_thread import HTTPThread


class Seen(NamedTuple):
    """A received request."""

    method: str
    path: str

    @property
    def writes(self) -> bool:
        return self.method in ("PUT", "DELETE")

    @property
    def lists(self) -> bool:
        return self.method == "GET" and "/origin/cloud_regions?" in self.path


Fault = Callable[["Handler", bytes], None]
"""Handles a request instead of forwarding it; the arguments are the request and its body."""


class Proxy(HTTPThread):
    """Forwards requests to `target`, an origin like http://127.0.0.1:8787; a context manager.

    `faults` returns the fault for each request, from its number, counted from 0, and its content.
    """

    def __init__(
        self, target: str, faults: Callable[[int, Seen], Fault | None] = lambda number, seen: None
    ) -> None:
        self.seen: list[Seen] = []
        self.faults = faults
        self.target = target
        self.http = httpx.Client(base_url=target, timeout=30)
        super().__init__(Handler)
        self.server.proxy = self

    @property
    def writes(self) -> int:
        return sum(seen.writes for seen in self.seen)

    @property
    def lists(self) -> int:
        return sum(seen.lists for seen in self.seen)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        self.http.close()


OF_THE_CONNECTION = {
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "date",
    "server",
}
"""Headers that are not forwarded, because the body is read completely and sent again."""


class Handler(BaseHTTPRequestHandler):
    """Handle one request, or several on one connection."""

    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        proxy = self.server.proxy
        seen = Seen(self.command, self.path)
        proxy.seen.append(seen)
        fault = proxy.faults(len(proxy.seen) - 1, seen)
        if fault is None:
            self.reply(self.forward(body))
        else:
            fault(self, body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

    def forward(self, body: bytes) -> httpx.Response:
        """The response of the real server."""
        dropped = {"host", "content-length", "connection", "accept-encoding"}
        headers = {k: v for k, v in self.headers.items() if k.lower() not in dropped}
        return self.server.proxy.http.request(
            self.command, self.path, content=body, headers=headers
        )

    def reply(self, answer: httpx.Response) -> None:
        kept = {k: v for k, v in answer.headers.items() if k.lower() not in OF_THE_CONNECTION}
        self.send(answer.status_code, answer.content, kept)

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def cut(self) -> None:
        """Close the connection without sending another byte."""
        self.close_connection = True
        self.connection.shutdown(2)

    def log_message(self, *args: object) -> None:
        pass


def refuse(status: int, code: int = 1000, **headers: str) -> Fault:
    """An error in the envelope, without a request to the server."""
    errors = [{"code": code, "message": "as the test wants it"}]
    body = json.dumps({"success": False, "errors": errors, "messages": [], "result": None})

    def fault(handler: Handler, _: bytes) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        handler.send(status, body.encode(), named)

    return fault


def gibberish(status: int) -> Fault:
    """A response of an intermediate proxy."""
    return lambda handler, _: handler.send(status, b"<html>Bad gateway</html>", {})


def cut_before(handler: Handler, body: bytes) -> None:
    """Drop the request before it reaches the server."""
    handler.cut()


def cut_after(handler: Handler, body: bytes) -> None:
    """Drop the response after the server has executed the request."""
    handler.forward(body)
    handler.cut()


def half_applied(handler: Handler, body: bytes) -> None:
    """Let the server execute half of a batch, then fail."""
    items = json.loads(body)
    handler.forward(json.dumps(items[: len(items) // 2]).encode())
    refuse(500)(handler, body)


def once_each(*faults: Fault) -> Callable[[int, Seen], Fault | None]:
    """These faults for the first requests, one per request, then none."""
    left: Iterator[Fault] = iter(faults)
    return lambda number, seen: next(left, None)
