"""A client that leaves nothing out and hides nothing: one connection, raw bytes, one answer.

Real clients retry, pool and normalise; these tests need to see what one socket sees.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.process import BEARER

SECONDS = 20.0
"""How long an answer may take before a test fails instead of hanging."""


class Cut(Exception):
    """The connection ended before there was a whole answer."""


class Answer(NamedTuple):
    """A response, its header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def result(self) -> Any:
        return self.json["result"]

    @property
    def refusal(self) -> tuple[int, int]:
        """The status and the first code of an answer that is an error in the envelope."""
        envelope = self.json
        assert set(envelope) == {"errors", "messages", "result", "success"}
        assert envelope["success"] is False
        assert envelope["result"] is None
        assert self.headers["content-type"] == "application/json"
        return self.status, envelope["errors"][0]["code"]


class Connection:
    """One connection to a server; an async context manager."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port

    async def __aenter__(self) -> "Connection":
        try:
            self.reader, self.writer = await asyncio.open_connection(self._host, self._port)
        except OSError as error:
            raise Cut from error
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        try:
            self.writer.write(data)
            async with asyncio.timeout(SECONDS):
                await self.writer.drain()
        except ConnectionError as error:
            raise Cut from error

    async def answer(self, method: str = "GET") -> Answer:
        """The next answer; `method` says whether one with a length has a body. Raises Cut."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self._read(method)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise Cut from error

    async def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = BEARER
    ) -> Answer:
        """Send a request with a JSON body, if any, and wait for its answer. Raises Cut."""
        await self.send(request(method, path, body, headers))
        return await self.answer(method)

    async def ended(self) -> bytes:
        """Wait until the server closes, and return what it still sent."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self.reader.read()
        except ConnectionResetError:
            return b""

    async def _read(self, method: str) -> Answer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
        status = int(head[0].split(" ")[1])
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        length = 0 if method == "HEAD" else int(headers.get("content-length", 0))
        return Answer(status, headers, await self.reader.readexactly(length))


def request(method: str, path: str, body: Any = None, headers: Mapping[str, str] = BEARER) -> bytes:
    """The bytes of a request; `body` is sent as JSON unless it is bytes already."""
    content = (
        body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    )
    lines = [f"{method} {path} HTTP/1.1", "Host: test", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content
