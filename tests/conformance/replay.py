"""A server that responds from a recording: each request must be the next recorded one."""

import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from originmap.verify.probe import Probe
from originmap.verify.redaction import Redactor
from tests.http_thread import HTTPThread

ZONE = "5f0e3b2a1c9d4e8f7a6b5c4d3e2f1a0b"


class ReplayServer(HTTPThread):
    """A server with the zone ZONE; a context manager. `unlike` are requests that differ from the
    recorded ones, `left` is the number of recorded requests that did not arrive.
    """

    def __init__(self, recording: Path) -> None:
        head, *pairs = map(json.loads, recording.read_text("utf-8").splitlines())
        assert head["format"] == 1
        self.unlike: list[tuple[Any, Any]] = []
        self._pairs = iter(pairs)
        self._redactor = Redactor({ZONE: "<zone>", ZONE.upper(): "<ZONE>"})
        super().__init__(_handler(self))

    @property
    def left(self) -> int:
        return sum(1 for _ in self._pairs)

    def answer(self, probe: Probe) -> dict[str, Any]:
        """The recorded response; a 599 for a request that is not the next one."""
        pair = next(self._pairs, {"request": None})
        request = self._redactor.request(probe)
        if pair["request"] is None or pair["request"] | {"signed": True} != request:
            self.unlike.append((pair["request"], request))
            return {"status": 599, "headers": {}, "body": None}
        answer: dict[str, Any] = pair["answer"]
        return answer


def _handler(server: ReplayServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet per response
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            length = self.headers.get("content-length")
            body = self.rfile.read(int(length)) if length else b""
            path = self.path.removeprefix("/client/v4")
            answer = server.answer(Probe(self.command, path, body or None))
            text = answer["body"] if answer["body"] == "" else json.dumps(answer["body"])
            content = text.replace("<zone>", ZONE).replace("<ZONE>", ZONE.upper()).encode()
            self.send_response_only(answer["status"])
            for name, value in answer["headers"].items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_DELETE = do_POST = do_PATCH = do_OPTIONS = do_HEAD = handle_any

        def log_message(self, *_: object) -> None:
            pass

    return Handler
