"""Clients that send slowly, stop, or do not read are disconnected and do not block others."""

import asyncio
import socket
from pathlib import Path

import pytest

from originmap.api.http.limits import Limits
from tests.real.inprocess import InProcess
from tests.real.server.probe import (
    BATCH,
    ITEM,
    MAPPINGS,
    MIB,
    ONE,
    REGIONS,
    TOO_SLOW,
    answer_to,
    assert_logged,
    batch_of_size,
    head,
)
from tests.real.server.wire import SECONDS, Answer, Connection, request


@pytest.mark.parametrize("start", [b"G", b"GET /healthz HTTP/1.1\r\n", head("GET", ONE)[:-2]])
async def test_a_client_that_stops_in_a_head_gets_an_error_and_is_disconnected(
    hasty: InProcess, start: bytes
) -> None:
    async with Connection(hasty.url) as connection:
        await connection.send(start)
        answer = await connection.answer()
        assert answer.refusal == TOO_SLOW
        assert await connection.ended() == b""
    assert_logged(hasty, answer)


async def test_a_client_that_sends_its_head_slowly_gets_an_error_and_is_disconnected(
    hasty: InProcess,
) -> None:
    async with Connection(hasty.url) as connection:
        answer = await drip(connection, head("GET", ONE, "X-Padding: " + "a" * 5000))
        assert answer.refusal == TOO_SLOW
    assert_logged(hasty, answer)


async def test_an_idle_connection_is_closed(hasty: InProcess) -> None:
    async with Connection(hasty.url) as connection:
        assert await connection.ended() == b""


async def test_a_client_that_stops_in_its_second_head_gets_an_error_and_is_disconnected(
    hasty: InProcess,
) -> None:
    async with Connection(hasty.url) as connection:
        assert (await connection.ask("GET", "/healthz")).status == 200
        await connection.send(b"GET /heal")
        answer = await connection.answer()
        assert answer.refusal == TOO_SLOW
        assert await connection.ended() == b""
    assert_logged(hasty, answer)


async def test_a_client_that_stops_in_a_head_after_a_request_gets_an_error_and_is_disconnected(
    hasty: InProcess,
) -> None:
    async with Connection(hasty.url) as connection:
        await connection.send(request("GET", "/healthz") + b"GET /heal")
        assert (await connection.answer()).status == 200
        answer = await connection.answer()
        assert answer.refusal == TOO_SLOW
    assert_logged(hasty, answer)


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_each_pipelined_request_has_its_own_timeout(tmp_path: Path, method: str) -> None:
    """Every read ends in the middle of a head or of a body, and none takes long."""
    each = request(method, ONE, ITEM if method == "PUT" else None)
    half, count = len(each) - 5, 5
    limits = Limits(header_seconds=2.0, body_seconds=2.0)
    with InProcess(tmp_path / "log", limits) as server:
        async with Connection(server.url) as connection:
            await connection.send(each[:half])
            for _ in range(count):
                await asyncio.sleep(0.6)
                await connection.send(each[half:] + each[:half])
                assert (await connection.answer()).status == (200 if method == "PUT" else 404)


async def test_a_body_that_stops_is_refused_and_not_applied(hasty: InProcess) -> None:
    async with Connection(hasty.url) as connection:
        await connection.send(request("PUT", ONE, ITEM)[:-1])
        answer = await connection.answer()
        assert answer.refusal == TOO_SLOW
        assert await connection.ended() == b""
    assert (await answer_to(hasty, request("GET", ONE))).status == 404
    assert_logged(hasty, answer)


async def test_a_slow_body_is_accepted(hasty: InProcess) -> None:
    async with Connection(hasty.url) as connection:
        await connection.send(head("PUT", BATCH, f"Content-Length: {MIB}"))
        answer = await drip(connection, batch_of_size(MIB))
        assert answer.refusal == TOO_SLOW
    assert_logged(hasty, answer)


async def test_a_disconnect_during_the_body_changes_nothing(server: InProcess) -> None:
    async with Connection(server.url) as connection:
        await connection.send(request("PUT", ONE, ITEM)[:-1])
    assert (await answer_to(server, request("GET", ONE))).status == 404


async def test_a_client_that_does_not_read_is_disconnected(hasty: InProcess) -> None:
    host, port = hasty.url.removeprefix("http://").split(":")
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect((host, int(port)))
        sock.setblocking(False)
        async with asyncio.timeout(SECONDS):
            with pytest.raises(ConnectionError):
                await ask_without_end(sock, request("GET", REGIONS) * 10)
    assert hasty.connections == 0


async def test_slow_clients_do_not_block_others(hasty: InProcess) -> None:
    async with asyncio.TaskGroup() as group, Connection(hasty.url) as honest:
        for _ in range(100):
            group.create_task(answer_to(hasty, b"GET /"))
        for _ in range(100):
            assert (await honest.ask("GET", MAPPINGS)).status == 200


async def drip(connection: Connection, data: bytes) -> Answer:
    """Send byte by byte until there is a response."""
    answer = asyncio.ensure_future(connection.answer())
    for number in range(len(data)):
        if answer.done():
            break
        await connection.send(data[number : number + 1])
        await asyncio.sleep(0.01)
    return await answer


async def ask_without_end(sock: socket.socket, data: bytes) -> None:
    """Send as much as possible continuously, and read nothing."""
    while True:
        try:
            sock.send(data)
        except BlockingIOError:
            await asyncio.sleep(0.01)
