"""A raw client: one connection, raw bytes, one response.

Other clients retry, pool and normalise; these tests need to see the exact bytes on one socket.
"""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.process import BEARER

SECONDS = 20.0
"""Seconds until a test without a response fails."""


class Cut(Exception):
    """The connection was closed before a complete response."""


class Answer(NamedTuple):
    """A response; its header names are in lower case."""

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
        """The status and the first code of an error in the envelope."""
        envelope = self.json
        assert set(envelope) == {"errors", "messages", "result", "success"}
        assert envelope["success"] is False
        assert envelope["result"] is None
        assert self.headers["content-type"] == "application/json"
        return self.status, envelope["errors"][0]["code"]


class Connection:
    """One connection to a server; an async context manager.

    A plain socket, because data that the server sent before it closed the connection can still be
    read from it.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname, parts.port)
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.unread = b""

    async def __aenter__(self) -> "Connection":
        try:
            await asyncio.get_running_loop().sock_connect(self.socket, self._address)
        except ConnectionError as error:
            self.socket.close()
            raise Cut from error
        return self

    async def __aexit__(self, *_: object) -> None:
        self.socket.close()

    async def send(self, data: bytes) -> None:
        """Send bytes unchanged. Raises Cut."""
        try:
            async with asyncio.timeout(SECONDS):
                await asyncio.get_running_loop().sock_sendall(self.socket, data)
        except ConnectionError as error:
            raise Cut from error

    def end(self) -> None:
        """Close the sending side; responses can still be read."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset_at_the_end(self) -> None:
        """Reset the connection at the end, instead of closing it."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def send_some(self, data: bytes) -> None:
        """Send the part of the data that the socket accepts immediately."""
        with contextlib.suppress(OSError):
            self.socket.send(data)

    async def read_until(self, text: bytes) -> None:
        """Read until `text` arrives. Raises Cut."""
        async with asyncio.timeout(SECONDS):
            while text not in self.unread:
                await self.read_more()

    async def chunks(self) -> bytes:
        """The body of a chunked response. Raises Cut."""
        await self.read_until(b"0\r\n\r\n")
        body = b""
        while size := int(self.unread.partition(b"\r\n")[0], 16):
            rest = self.unread.partition(b"\r\n")[2]
            body, self.unread = body + rest[:size], rest[size + 2 :]
        return body

    async def answer(self, method: str = "GET") -> Answer:
        """The next response; `method` determines whether a response with a length has a body.
        Raises Cut.
        """
        async with asyncio.timeout(SECONDS):
            while b"\r\n\r\n" not in self.unread:
                await self.read_more()
            head, _, self.unread = self.unread.partition(b"\r\n\r\n")
            first, *lines = head.decode("ascii").split("\r\n")
            pairs = (line.split(": ", 1) for line in lines)
            headers = {name.lower(): value for name, value in pairs}
            length = 0 if method == "HEAD" else int(headers.get("content-length", 0))
            while len(self.unread) < length:
                await self.read_more()
        body, self.unread = self.unread[:length], self.unread[length:]
        return Answer(int(first.split(" ")[1]), headers, body)

    async def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = BEARER
    ) -> Answer:
        """Send a request with an optional JSON body, and wait for its response. Raises Cut."""
        await self.send(request(method, path, body, headers))
        return await self.answer(method)

    async def ended(self) -> bytes:
        """Wait until the server closes the connection; return the remaining data."""
        async with asyncio.timeout(SECONDS):
            with contextlib.suppress(Cut):
                while True:
                    await self.read_more()
        return self.unread

    async def read_more(self) -> None:
        try:
            data = await asyncio.get_running_loop().sock_recv(self.socket, 1 << 16)
        except ConnectionError as error:
            raise Cut from error
        if not data:
            raise Cut
        self.unread += data


def request(method: str, path: str, body: Any = None, headers: Mapping[str, str] = BEARER) -> bytes:
    """The bytes of a request; a `body` that is not bytes is sent as JSON."""
    content = (
        body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    )
    lines = [f"{method} {path} HTTP/1.1", "Host: test", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content
