"""What goes on along one connection: pipelining, Expect, Upgrade, and how many there may be."""

import asyncio
import json
from pathlib import Path

import pytest

from originmap.api.limits import Limits
from tests.real.inprocess import InProcess
from tests.real.probe import (
    BATCH,
    BUSY,
    ITEM,
    MAPPINGS,
    NO_ROUTE,
    ONE,
    answer_to,
    assert_logged,
    assert_usable_or_closed,
    head,
)
from tests.real.wire import SECONDS, Connection, request


async def test_one_connection_too_many_is_told_to_come_back(tmp_path: Path) -> None:
    with InProcess(tmp_path / "log", Limits(connections=2)) as server:
        async with Connection(server.url) as first, Connection(server.url) as second:
            assert (await first.ask("GET", "/healthz")).status == 200
            assert (await second.ask("GET", "/healthz")).status == 200
            async with Connection(server.url) as third:
                answer = await third.answer()
                assert answer.refusal == BUSY
                assert int(answer.headers["retry-after"]) > 0
                assert await third.ended() == b""
            assert (await first.ask("GET", "/healthz")).status == 200
        await until_free(server)
        assert (await answer_to(server, request("GET", "/healthz"))).status == 200
        assert_logged(server, answer)


async def until_free(server: InProcess) -> None:
    async with asyncio.timeout(SECONDS):
        while server.connections:
            await asyncio.sleep(0.01)


async def test_pipelined_requests_are_answered_in_order(server: InProcess) -> None:
    ips = [f"192.0.2.{n}" for n in range(1, 21)]
    puts = [request("PUT", f"{MAPPINGS}/{ip}", {**ITEM, "origin_ip": ip}) for ip in ips]
    gets = [request("GET", f"{MAPPINGS}/{ip}") for ip in ips]
    async with Connection(server.url) as connection:
        await connection.send(b"".join(puts + gets))
        answers = [await connection.answer() for _ in (*puts, *gets)]
    assert [answer.result["origin_ip"] for answer in answers] == ips * 2
    assert_logged(server, *answers)


@pytest.mark.parametrize("piece", [1, 7, 100])
async def test_pipelined_requests_in_pieces_are_answered_in_order(
    server: InProcess, piece: int
) -> None:
    ips = ["192.0.2.7", "192.0.2.8"]
    stream = b"".join(
        request("PUT", f"{MAPPINGS}/{ip}", {**ITEM, "origin_ip": ip}) for ip in ips
    ) + request("DELETE", BATCH, ips)
    async with Connection(server.url) as connection:
        for start in range(0, len(stream), piece):
            await connection.send(stream[start : start + piece])
            await asyncio.sleep(0)
        answers = [await connection.answer() for _ in range(3)]
    assert [answer.result["origin_ip"] for answer in answers[:2]] == ips
    assert [item["origin_ip"] for item in answers[2].result["succeeded"]] == ips


async def test_a_client_that_asks_first_is_told_to_continue(server: InProcess) -> None:
    body = json.dumps(ITEM).encode()
    async with Connection(server.url) as connection:
        lines = (f"Content-Length: {len(body)}", "Expect: 100-continue")
        await connection.send(head("PUT", ONE, *lines))
        assert (await connection.answer()).status == 100
        await connection.send(body)
        answer = await connection.answer()
        assert answer.status == 200
        assert (await connection.ask("GET", ONE)).result == answer.result


UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


@pytest.mark.parametrize("path", [MAPPINGS, "/healthz"])
async def test_an_upgrade_is_answered_as_if_it_were_not_asked_for(
    server: InProcess, path: str
) -> None:
    """RFC 9110 §7.8: a server may ignore Upgrade."""
    async with Connection(server.url) as connection:
        await connection.send(head("GET", path, *UPGRADE))
        answer = await connection.answer()
        assert answer.status == 200
        assert answer.json["success"] is True
        await assert_usable_or_closed(connection)
    assert_logged(server, answer)


async def test_an_upgrade_of_no_route_is_refused_in_the_envelope(server: InProcess) -> None:
    answer = await answer_to(server, head("GET", "/client/v4/socket", *UPGRADE))
    assert answer.refusal == NO_ROUTE
    assert_logged(server, answer)
