"""Limits on requests, and the errors for larger ones, with raw sockets.

Every response is in the envelope, has a request ID, and is logged with that ID.
"""

import asyncio
import json

import pytest

from originmap import data
from originmap.api.http import router
from originmap.api.native.tier.topology import LARGE_BODY
from tests.real.inprocess import InProcess
from tests.real.server.probe import (
    BATCH,
    BODY_TOO_LARGE,
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
    batch_of_size,
    chunk,
    head,
)
from tests.real.server.wire import SECONDS, Connection, Cut, request

LATENCIES = "/originmap/v1/latencies"


@pytest.mark.proves("D-19")
async def test_a_body_of_exactly_one_mib_is_accepted(server: InProcess) -> None:
    answer = await answer_to(server, request("PUT", BATCH, batch_of_size(MIB)))
    assert answer.status == 200
    assert len(answer.result["succeeded"]) == 1
    assert router.MAX_BODY == MIB


@pytest.mark.proves("D-19")
async def test_a_body_over_one_mib_is_refused(server: InProcess) -> None:
    async with Connection(server.url) as connection:
        await connection.send(request("PUT", BATCH, batch_of_size(MIB + 1)))
        answer = await connection.answer()
        assert answer.refusal == BODY_TOO_LARGE
        await assert_usable_or_closed(connection)
    assert (await answer_to(server, request("GET", ONE))).status == 404
    assert_logged(server, answer)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_an_announced_body_over_one_mib_is_refused_before_it_is_sent(
    server: InProcess, method: str
) -> None:
    answer = await answer_to(server, head(method, BATCH, f"Content-Length: {1 << 40}"))
    assert answer.refusal == BODY_TOO_LARGE
    assert_logged(server, answer)


async def test_a_chunked_body_over_one_mib_is_refused(server: InProcess) -> None:
    async with Connection(server.url) as connection:
        await connection.send(head("PUT", BATCH, "Transfer-Encoding: chunked"))
        for _ in range(17):
            await connection.send(chunk(b" " * (MIB >> 4)))
        answer = await connection.answer()
        assert answer.refusal == BODY_TOO_LARGE
        await connection.send(b"0\r\n\r\n")
        await assert_usable_or_closed(connection)
    assert_logged(server, answer)


async def test_the_latencies_of_every_colo_and_region_are_accepted(server: InProcess) -> None:
    colos, regions = data.topology().colos, data.catalogue().regions()
    measured = [
        {
            "colo": colo.code,
            "vendor": region.vendor,
            "region": region.name,
            "milliseconds": 123.456,
            "measured_on": "2026-11-01T00:00:00.000000Z",
        }
        for colo in colos
        for region in regions
    ]
    content = request("PUT", LATENCIES, measured)
    assert len(content) > MIB
    answer = await answer_to(server, content)
    assert answer.status == 200, answer.json["errors"]
    assert len(answer.result) == len(colos) * len(regions) > 15_000


async def test_latencies_over_four_mib_are_refused(server: InProcess) -> None:
    answer = await answer_to(server, request("PUT", LATENCIES, b"[]".ljust(4 * MIB)))
    assert answer.status == 200
    answer = await answer_to(server, request("PUT", LATENCIES, b"[]".ljust(4 * MIB + 1)))
    assert answer.refusal == BODY_TOO_LARGE
    assert LARGE_BODY == 4 * MIB


async def test_a_chunked_body_in_many_pieces_is_accepted(server: InProcess) -> None:
    body = json.dumps(ITEM).encode()
    pieces = [chunk(body[i : i + 7]) for i in range(0, len(body), 7)]
    put = head("PUT", ONE, "Transfer-Encoding: chunked")
    answer = await answer_to(server, put, *pieces, b"0\r\n\r\n")
    assert answer.result["origin_ip"] == "192.0.2.1"


async def test_an_endless_body_is_refused(hasty: InProcess) -> None:
    async with Connection(hasty.url) as connection:
        await connection.send(head("PUT", BATCH, "Transfer-Encoding: chunked"))
        async with asyncio.timeout(SECONDS):
            with pytest.raises(Cut):
                await send_without_end(connection, chunk(b" " * 10_000))


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: -1"],
        ["Content-Length: 1x"],
        ["Content-Length: 99999999999999999999999"],
        ["Content-Length: 2", "Content-Length: 3"],
        ["Content-Length: 2", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked, identity"],
    ],
)
async def test_contradictory_lengths_are_refused(server: InProcess, lines: list[str]) -> None:
    """RFC 9112 §6.3: an ambiguous length allows request smuggling past a proxy."""
    answer = await answer_to(server, head("PUT", ONE, *lines) + b"{}")
    assert answer.refusal == NOT_HTTP
    assert_logged(server, answer)


async def test_a_url_of_eight_kib_reaches_the_router(server: InProcess) -> None:
    path = "/client/v4/" + "a" * (8192 - 11)
    assert (await answer_to(server, request("GET", path))).refusal == NO_ROUTE


@pytest.mark.proves("D-50")
@pytest.mark.parametrize("size", [8193, 12_000, 100_000, 1_000_000])
async def test_a_longer_url_is_refused(server: InProcess, size: int) -> None:
    answer = await answer_to(server, request("GET", "/" + "a" * (size - 1)))
    assert answer.refusal == URL_TOO_LONG
    assert_logged(server, answer)


async def test_a_url_in_pieces_is_refused_before_it_ends(server: InProcess) -> None:
    pieces = [b"a" * 4000] * 8
    answer = await answer_to(server, b"GET /", *pieces)
    assert answer.refusal == URL_TOO_LONG
    assert_logged(server, answer)


async def test_headers_just_under_the_limit_are_accepted(server: InProcess) -> None:
    answer = await answer_to(server, head("GET", MAPPINGS, "X-Padding: " + "a" * 16_000))
    assert answer.status == 200


@pytest.mark.proves("D-50")
@pytest.mark.parametrize("count", [1, 10, 1000])
@pytest.mark.parametrize("size", [16_500, 60_000, 500_000])
async def test_headers_over_the_limit_are_refused(server: InProcess, count: int, size: int) -> None:
    lines = [f"X-{n}: " + "a" * (size // count) for n in range(count)]
    answer = await answer_to(server, head("GET", MAPPINGS, *lines))
    assert answer.refusal == HEADERS_TOO_LARGE
    assert_logged(server, answer)


async def test_headers_in_pieces_are_refused_before_they_end(server: InProcess) -> None:
    pieces = [b"X-%d: %b\r\n" % (n, b"a" * 1000) for n in range(40)]
    answer = await answer_to(server, head("GET", MAPPINGS)[:-2], *pieces)
    assert answer.refusal == HEADERS_TOO_LARGE
    assert_logged(server, answer)


async def test_trailers_over_the_limit_are_refused(server: InProcess) -> None:
    put = head("PUT", ONE, "Transfer-Encoding: chunked") + chunk(json.dumps(ITEM).encode())
    trailers = (b"X-T: " + b"a" * 10_000 + b"\r\n") * 100
    answer = await answer_to(server, put + b"0\r\n" + trailers + b"\r\n")
    assert answer.refusal == HEADERS_TOO_LARGE
    assert_logged(server, answer)


async def send_without_end(connection: Connection, data: bytes) -> None:
    while True:
        await connection.send(data)
        await asyncio.sleep(0.001)


NOT_REQUESTS = {
    "a greeting": b"hello\r\n\r\n",
    "TLS": bytes.fromhex("16030100f8010000f40303") + bytes(100),
    "zeros": bytes(100),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\nHost: t\r\n\r\n",
    "a path outside ASCII": "GET /é HTTP/1.1\r\nHost: t\r\n\r\n".encode(),
    "a path that does not begin with a slash": b"GET healthz HTTP/1.1\r\nHost: t\r\n\r\n",
    "a header without a colon": b"GET /healthz HTTP/1.1\r\nHost t\r\n\r\n",
    "a zero in a header": b"GET /healthz HTTP/1.1\r\nHost: t\r\nX: a\0b\r\n\r\n",
    "a tunnel": b"CONNECT example.com:443 HTTP/1.1\r\nHost: t\r\n\r\n",
    "an unknown method": b"BREW /pot HTTP/1.1\r\nHost: t\r\n\r\n",
    "no path": b"GET http://127.0.0.1 HTTP/1.1\r\nHost: t\r\n\r\n",
}


@pytest.mark.parametrize("name", NOT_REQUESTS)
async def test_an_invalid_request_is_answered_in_the_envelope(server: InProcess, name: str) -> None:
    async with Connection(server.url) as connection:
        await connection.send(NOT_REQUESTS[name])
        answer = await connection.answer()
        assert answer.refusal == NOT_HTTP
        assert answer.headers["connection"] == "close"
        assert await connection.ended() == b""
    assert_logged(server, answer)


async def test_empty_lines_without_end_are_refused(server: InProcess) -> None:
    """RFC 9112 §2.2 has servers skip an empty line before a request, not a flood of them."""
    answer = await answer_to(server, b"\r\n" * 20_000)
    assert answer.refusal in (NOT_HTTP, HEADERS_TOO_LARGE)
    assert_logged(server, answer)


async def test_a_request_after_an_empty_line_is_answered(server: InProcess) -> None:
    assert (await answer_to(server, b"\r\n" + request("GET", "/healthz"))).status == 200


async def test_a_url_with_a_host_is_accepted(server: InProcess) -> None:
    """RFC 9112 §3.2.2: a server accepts the absolute form."""
    answer = await answer_to(server, request("GET", "http://127.0.0.1/healthz"))
    assert answer.status == 200


async def test_http_1_0_is_answered_and_closes_the_connection(server: InProcess) -> None:
    async with Connection(server.url) as connection:
        await connection.send(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert (await connection.answer()).status == 200
        assert await connection.ended() == b""
