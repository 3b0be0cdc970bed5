"""The end of a server, and the headers of every response."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from time import time

import pytest
import uvloop

from originmap.api.access_log import SilentLog
from originmap.api.http.limits import Limits
from originmap.api.http.protocol import Connection, Context
from originmap.api.http.request import Request
from originmap.api.http.response import Answer, Deferred, Response
from originmap.api.request_ids import RequestIDs
from originmap.api.server import HTTPServer
from tests.waiting import until

GET = b"GET %b HTTP/1.1\r\nHost: t\r\n\r\n"


class Pages:
    """Answers /now at once, /soon a moment later, and nothing else."""

    def __init__(self) -> None:
        self.begun = 0

    def answer(self, request: Request) -> Answer | None:
        self.begun += 1
        if request.path == "/now":
            return Response(b"", 204)
        return self._soon() if request.path == "/soon" else self._never()

    def made(self, request: Request, answer: Deferred) -> Response:
        return answer.make()

    async def _soon(self) -> Response:
        await asyncio.sleep(0.05)
        return Response(b"", 204)

    async def _never(self) -> Response:
        await asyncio.Event().wait()
        raise AssertionError


class Running:
    """A server, and how often it has said that it stops."""

    def __init__(self) -> None:
        self.pages = Pages()
        self.context = Context(self.pages, Limits(), RequestIDs(), SilentLog())
        self.server = HTTPServer(self.context, self._stops)
        self.stops = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = self._socket.getsockname()
        self.ended = asyncio.ensure_future(self.server.serve(self._socket))

    def _stops(self) -> None:
        self.stops += 1

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self.address)

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
    running.server.stop(0)
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
    (record,) = caplog.records
    assert record.getMessage() == "aborted at the end of the shutdown timeout"
    assert vars(record)["data"] == {"connections": 1, "requests": 1}
    writer.close()


async def test_a_second_stop_can_be_at_once(running: Running) -> None:
    reader, writer = await running.ask(b"/never")
    await until(lambda: bool(running.server.connections.work))
    running.server.stop(3600)
    running.server.stop(0)
    running.server.stop(3600)  # nobody gets more time than before
    async with asyncio.timeout(20):
        await running.ended
    assert await _cut(reader)
    assert running.stops == 1
    writer.close()


async def test_idle_connections_are_closed_and_new_ones_are_refused(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await running.connect()
    await until(lambda: bool(running.server.connections.open))
    running.server.stop(0)
    assert await reader.read() == b""
    await running.ended
    assert caplog.records == []
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


@pytest.mark.parametrize("turns", range(6))
def test_a_request_that_begins_during_a_stop_has_its_response(turns: int) -> None:
    """Whatever the event loop was doing with its connection."""

    async def begun() -> int:
        running = Running()
        await asyncio.sleep(0.01)
        for client in clients:
            client.connect(running.address)
            client.send(GET % b"/soon")
        for _ in range(turns):
            await asyncio.sleep(0)
        running.server.stop()
        await running.ended
        return running.pages.begun

    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.socket()) for _ in range(3)]
        expected = uvloop.run(begun())
        assert (
            sum(_first_line(client) == b"HTTP/1.1 204 No Content" for client in clients) == expected
        )


def _first_line(client: socket.socket) -> bytes:
    client.settimeout(20)
    with contextlib.suppress(ConnectionResetError):
        return client.recv(1 << 12).partition(b"\r\n")[0]
    return b""


async def test_another_listener_can_serve_until_the_last_request_ends(running: Running) -> None:
    """As the operator's socket does."""

    def connection() -> Connection:
        return Connection(running.context, running.server.connections)

    other = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    async with other:
        _, holding = await running.ask(b"/never")
        await until(lambda: bool(running.server.connections.work))
        running.server.stop(3600)
        reader, writer = await asyncio.open_connection(*other.sockets[0].getsockname())
        await asyncio.sleep(0.05)
        writer.write(GET % b"/now")
        answer = (await reader.read()).lower()
        assert answer.startswith(b"http/1.1 204 ")
        assert b"\r\nconnection: close\r\n" in answer
        writer.close()
        holding.close()
    running.server.stop(0)


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
