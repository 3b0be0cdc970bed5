"""Connections: pipelining, Expect, Upgrade, and the limit on their number."""

import asyncio
import json
from pathlib import Path

import pytest

from originmap.api.http.limits import Limits
from tests.real.inprocess import InProcess
from tests.real.server.probe import (
    BATCH,
    BODY_TOO_LARGE,
    BUSY,
    HEADERS_TOO_LARGE,
    ITEM,
    MAPPINGS,
    MIB,
    NO_ROUTE,
    NOT_HTTP,
    ONE,
    URL_TOO_LONG,
    answer_to,
    assert_logged,
    assert_usable_or_closed,
    chunk,
    head,
)
from tests.real.server.wire import SECONDS, Connection, request


async def test_a_connection_over_the_limit_gets_retry_after(tmp_path: Path) -> None:
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


BEHIND = {
    "garbage": (b"hello\r\n\r\n", NOT_HTTP),
    "a long URL": (request("GET", "/" + "a" * 9000), URL_TOO_LONG),
    "large headers": (head("GET", ONE, "X: " + "a" * 17_000), HEADERS_TOO_LARGE),
}


@pytest.mark.parametrize("name", BEHIND)
async def test_a_refusal_waits_for_the_answers_before_it(server: InProcess, name: str) -> None:
    """A client counts responses: an error sent too early would be taken for the response to the
    write.
    """
    data, refusal = BEHIND[name]
    async with Connection(server.url) as connection:
        await connection.send(request("PUT", ONE, ITEM) + data)
        first = await connection.answer()
        assert first.status == 200
        assert first.result["origin_ip"] == "192.0.2.1"
        assert (await connection.answer()).refusal == refusal


_PUT = head("PUT", ONE, "Transfer-Encoding: chunked")
BROKEN_BODIES = {
    "a bad chunk": (_PUT + b"zz\r\n", NOT_HTTP),
    "large trailers": (
        _PUT + chunk(json.dumps(ITEM).encode()) + b"0\r\n" + (b"X: " + b"a" * 9000 + b"\r\n") * 3,
        HEADERS_TOO_LARGE,
    ),
}


@pytest.mark.parametrize("name", BROKEN_BODIES)
async def test_a_broken_body_behind_a_request_is_refused_and_closes_the_connection(
    hasty: InProcess, name: str
) -> None:
    data, refusal = BROKEN_BODIES[name]
    async with Connection(hasty.url) as connection:
        await connection.send(request("PUT", ONE, ITEM) + data)
        assert (await connection.answer()).status == 200
        assert (await connection.answer()).refusal == refusal
        assert await connection.ended() == b""


async def test_expect_100_continue_gets_100_continue(server: InProcess) -> None:
    body = json.dumps(ITEM).encode()
    async with Connection(server.url) as connection:
        lines = (f"Content-Length: {len(body)}", "Expect: 100-continue")
        await connection.send(head("PUT", ONE, *lines))
        assert (await connection.answer()).status == 100
        await connection.send(body)
        answer = await connection.answer()
        assert answer.status == 200
        assert (await connection.ask("GET", ONE)).result == answer.result


async def test_a_body_with_expect_is_refused_before_it_is_sent(server: InProcess) -> None:
    lines = (f"Content-Length: {MIB + 1}", "Expect: 100-continue")
    answer = await answer_to(server, head("PUT", BATCH, *lines))
    assert answer.refusal == BODY_TOO_LARGE
    assert_logged(server, answer)


async def test_a_body_with_expect_but_no_credentials_is_refused_before_it_is_sent(
    server: InProcess,
) -> None:
    bare = b"PUT %b HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n" % ONE.encode()
    answer = await answer_to(server, bare + b"Expect: 100-continue\r\n\r\n")
    assert answer.refusal == (400, 9106)


UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


@pytest.mark.parametrize("path", [MAPPINGS, "/healthz"])
async def test_an_upgrade_offer_is_ignored(server: InProcess, path: str) -> None:
    """RFC 9110 §7.8: a server may ignore Upgrade."""
    async with Connection(server.url) as connection:
        await connection.send(head("GET", path, *UPGRADE))
        answer = await connection.answer()
        assert answer.status == 200
        assert answer.json["success"] is True
        await assert_usable_or_closed(connection)
    assert_logged(server, answer)


async def test_an_upgrade_of_an_unknown_route_is_refused_in_the_envelope(server: InProcess) -> None:
    answer = await answer_to(server, head("GET", "/client/v4/socket", *UPGRADE))
    assert answer.refusal == NO_ROUTE
    assert_logged(server, answer)


H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAA")
"""The headers of Java's HttpClient in its first request on a connection."""


@pytest.mark.parametrize("together", [True, False])
async def test_a_write_that_offers_an_upgrade_is_a_write(server: InProcess, together: bool) -> None:
    body = json.dumps(ITEM).encode()
    put = head("PUT", ONE, f"Content-Length: {len(body)}", *H2C)
    answer = await answer_to(server, *([put + body] if together else [put, body]))
    assert answer.status == 200


async def test_a_body_after_an_offered_upgrade_is_never_a_request(server: InProcess) -> None:
    """Otherwise a client that controls a body can smuggle requests past a proxy."""
    body = request("PUT", ONE, ITEM)
    async with Connection(server.url) as connection:
        await connection.send(head("PUT", BATCH, f"Content-Length: {len(body)}", *H2C))
        await asyncio.sleep(0.1)
        await connection.send(body)
        await connection.answer()
        await asyncio.sleep(0.2)
    assert (await answer_to(server, request("GET", ONE))).status == 404


async def test_a_request_directly_after_an_offered_upgrade_is_answered(
    server: InProcess,
) -> None:
    async with Connection(server.url) as connection:
        await connection.send(head("GET", "/healthz", *H2C) + request("GET", "/readyz"))
        assert (await connection.answer()).status == 200
        assert (await connection.answer()).status == 200
