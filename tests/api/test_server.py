"""The end of a server, and the headers of every response."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from time import time

import pytest

from originmap.api.access_log import SilentLog
from originmap.api.http.limits import Limits
from originmap.api.http.protocol import Context
from originmap.api.http.request import Request
from originmap.api.http.response import Answer, Deferred, Response
from originmap.api.request_ids import RequestIDs
from originmap.api.server import HTTPServer
from tests.waiting import until

GET = b"GET %b HTTP/1.1\r\nHost: t\r\n\r\n"


class Pages:
    """Answers /now at once, and nothing else."""

    def answer(self, request: Request) -> Answer | None:
        return Response(b"", 204) if request.path == "/now" else self._never()

    def made(self, request: Request, answer: Deferred) -> Response:
        return answer.make()

    async def _never(self) -> Response:
        await asyncio.Event().wait()
        raise AssertionError


class Running:
    """A server, and how often it has said that it stops."""

    def __init__(self) -> None:
        context = Context(Pages(), Limits(), RequestIDs(), SilentLog())
        self.server = HTTPServer(context, self._stops)
        self.stops = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._address = self._socket.getsockname()
        self.ended = asyncio.ensure_future(self.server.serve(self._socket))

    def _stops(self) -> None:
        self.stops += 1

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self._address)

    async def ask(self, path: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await self.connect()
        writer.write(GET % path)
        return reader, writer

    async def head(self, path: bytes) -> dict[str, str]:
        reader, writer = await self.ask(path)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        writer.close()
        return dict(line.split(": ", 1) for line in lines[1:-2])


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    running = Running()
    yield running
    running.server.stop(0.0)
    await running.ended


async def _cut(reader: asyncio.StreamReader) -> bool:
    with contextlib.suppress(ConnectionResetError):
        return await reader.read() == b""
    return True


async def test_a_request_that_does_not_end_is_aborted_after_the_timeout(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await running.ask(b"/never")
    await until(lambda: bool(running.server.connections.work))
    with caplog.at_level(logging.WARNING):
        running.server.stop(0.05)
        await running.ended
    assert await _cut(reader)
    assert [record.getMessage() for record in caplog.records] == [
        "aborted at the end of the shutdown timeout"
    ]
    writer.close()


async def test_a_second_stop_can_be_at_once(running: Running) -> None:
    reader, writer = await running.ask(b"/never")
    await until(lambda: bool(running.server.connections.work))
    running.server.stop(3600)
    running.server.stop(0.0)
    running.server.stop(3600)  # nobody gets more time than before
    async with asyncio.timeout(20):
        await running.ended
    assert await _cut(reader)
    assert running.stops == 1
    writer.close()


async def test_idle_connections_are_closed_and_new_ones_are_refused(running: Running) -> None:
    reader, writer = await running.connect()
    await until(lambda: bool(running.server.connections.open))
    running.server.stop()
    assert await reader.read() == b""
    await running.ended
    with pytest.raises(ConnectionRefusedError):
        await running.connect()
    writer.close()


async def test_a_stop_leaves_a_refused_client_the_time_to_read(running: Running) -> None:
    """Closing with unread input would reset the connection, and the client might lose the error."""
    reader, writer = await running.connect()
    writer.write(b"NOT HTTP\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
    running.server.stop()
    await asyncio.sleep(0.05)
    assert running.server.connections.open
    writer.close()
    await running.ended


async def test_every_response_has_the_time(running: Running) -> None:
    await until(lambda: "date" in running.server.connections.common)
    date = (await running.head(b"/now"))["date"]
    assert abs(parsedate_to_datetime(date).timestamp() - time()) < 60
    assert date.endswith(" GMT")
    await until(lambda: date not in running.server.connections.common)


async def test_the_last_value_of_a_header_counts(running: Running) -> None:
    running.server.connections.set_header("originmap-test", "1")
    running.server.connections.set_header("originmap-test", "2")
    assert (await running.head(b"/now"))["originmap-test"] == "2"
