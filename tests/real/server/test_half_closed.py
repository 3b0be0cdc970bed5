"""Clients that close their side of the connection after a request, like `nc` and many scripts: they
get their responses, on every path. Clients that reset the connection leave no traceback.
"""

import asyncio
import json
import random
from pathlib import Path

import pytest

from originmap.api.http.limits import Limits
from tests.real.inprocess import InProcess
from tests.real.server.probe import (
    BATCH,
    ITEM,
    MAPPINGS,
    NOT_HTTP,
    ONE,
    answer_to,
    assert_logged,
    batch_of_size,
    head,
)
from tests.real.server.wire import Connection, request
from tests.waiting import until

CHANGES = "/originmap/v1/changes"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (request("GET", "/healthz"), 200),
        (request("PUT", ONE, ITEM), 200),
        (request("PUT", BATCH, [ITEM]), 200),
        (request("PUT", BATCH, batch_of_size(1 << 20)), 200),
        (request("GET", ONE), 404),
        (request("GET", MAPPINGS), 200),
        (request("GET", "/nowhere"), 404),
        (request("PUT", ONE, b"{"), 400),
        (request("GET", MAPPINGS, headers={"Authorization": "Bearer wrong"}), 401),
        (request("GET", "/metrics"), 200),
        (request("GET", f"{CHANGES}?wait=60"), 200),
        (head("GET", ONE, "X: " + "a" * 17_000), 431),
        (b"hello\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
    ],
)
async def test_a_half_closed_client_gets_its_answer(
    server: InProcess, content: bytes, status: int
) -> None:
    async with Connection(server.url) as connection:
        await connection.send(content)
        connection.end()
        answer = await connection.answer()
        assert answer.status == status
        assert await connection.ended() == b""
    assert_logged(server, answer)


async def test_every_pipelined_request_of_a_half_closed_client_is_answered(
    server: InProcess,
) -> None:
    ips = [f"192.0.2.{n}" for n in range(1, 11)]
    puts = [request("PUT", f"{MAPPINGS}/{ip}", {**ITEM, "origin_ip": ip}) for ip in ips]
    lists = [request("GET", MAPPINGS)] * 3
    async with Connection(server.url) as connection:
        await connection.send(b"".join([*puts, *lists, b"hello\r\n\r\n"]))
        connection.end()
        for _ in (*puts, *lists):
            assert (await connection.answer()).status == 200
        assert (await connection.answer()).refusal == NOT_HTTP
        assert await connection.ended() == b""


@pytest.mark.parametrize("path", ["/originmap/v1/snapshot", "/originmap/v1/export/csv"])
async def test_a_half_closed_client_gets_a_stream_until_it_closes(
    server: InProcess, path: str
) -> None:
    async with Connection(server.url) as connection:
        await connection.send(request("GET", path))
        connection.end()
        assert (await connection.answer()).status == 200
        assert (await connection.ended()).endswith(b"0\r\n\r\n")


async def test_a_half_closed_client_gets_changes(server: InProcess) -> None:
    async with Connection(server.url) as connection, Connection(server.url) as writer:
        await connection.send(head("GET", CHANGES, "Accept: text/event-stream"))
        assert (await connection.answer()).status == 200
        connection.end()
        await asyncio.sleep(0.1)
        assert (await writer.ask("PUT", ONE, ITEM)).status == 200
        await connection.read_until(b"event: changes")


async def test_a_stream_ends_if_its_client_disconnects(server: InProcess) -> None:
    async with Connection(server.url) as connection:
        await connection.send(head("GET", CHANGES, "Accept: text/event-stream"))
        assert (await connection.answer()).status == 200
    await until(lambda: not server.connections)


async def test_a_long_poll_ends_if_its_client_disconnects(server: InProcess) -> None:
    async with Connection(server.url) as connection:
        await connection.send(head("GET", f"{CHANGES}?wait=60"))
        await until(lambda: server.connections == 1)
        await asyncio.sleep(0.1)
    await until(lambda: not server.connections)


@pytest.mark.parametrize(
    "content",
    [
        b"GET /heal",
        head("GET", ONE)[:-2],
        request("PUT", ONE, ITEM)[:-5],
        request("PUT", BATCH, [ITEM])[:-5],
        head("PUT", ONE, "Transfer-Encoding: chunked"),
    ],
)
async def test_a_request_that_ends_before_it_is_complete_is_refused(
    server: InProcess, content: bytes
) -> None:
    async with Connection(server.url) as connection:
        await connection.send(content)
        connection.end()
        answer = await connection.answer()
        assert answer.refusal == (400, 10400)
        assert answer.json["errors"][0]["message"] == "The request ended before it was complete."
        assert await connection.ended() == b""
    assert (await answer_to(server, request("GET", ONE))).status == 404
    assert_logged(server, answer)


BAD = [
    request("PUT", ONE, b"{"),
    request("GET", "/nowhere"),
    request("POST", "/originmap/v1/detect", b"[]"),
    request("PUT", BATCH, b"x" * 70_000),
    request("PUT", BATCH, b"x" * ((1 << 20) + 1)),
    request("GET", MAPPINGS, headers={"Authorization": "Bearer wrong"}),
    head("GET", ONE, "X: " + "a" * 17_000),
    b"hello\r\n\r\n",
    head("PUT", ONE, "Transfer-Encoding: chunked") + b"zz\r\n",
]


async def test_resets_after_twenty_bad_requests_leave_no_traceback(tmp_path: Path) -> None:
    chance = random.Random(1)
    with InProcess(tmp_path / "log", Limits()) as server:
        for _ in range(300):
            async with Connection(server.url) as connection:
                some = chance.choice((BAD, [chance.choice(BAD)]))
                connection.reset_at_the_end()
                connection.send_some(b"".join(chance.choices(some, k=20)))
                await asyncio.sleep(chance.choice((0, 0.0005, 0.003)))
        await until(lambda: not server.connections)
        server.stop(grace=20)  # the last may be one that the server accepts now
        lines = server.lines()
    assert [line for line in lines if line["level"] != "info"] == []
    assert "traceback" not in json.dumps(lines)
