"""HTTP/1.0 from old clients, and the Host header of both versions."""

import pytest

from tests.process import BEARER
from tests.real.inprocess import InProcess
from tests.real.server.probe import ITEM, MAPPINGS, NOT_HTTP, ONE, answer_to, assert_logged
from tests.real.server.wire import Connection, request

AUTH = "".join(f"{name}: {value}\r\n" for name, value in BEARER.items()).encode()
CHANGES = "/originmap/v1/changes"


def old(method: str, path: str, *lines: str, body: bytes = b"") -> bytes:
    """An HTTP/1.0 request."""
    given = "".join(f"{line}\r\n" for line in lines).encode()
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    first = f"{method} {path} HTTP/1.0\r\n".encode()
    return first + AUTH + given + length + b"\r\n" + body


GETS = [
    "/originmap/v1/snapshot",
    "/originmap/v1/snapshot?whole=true",
    *(
        f"/originmap/v1/export/{name}"
        for name in ("csv", "json", "mmdb", "nginx?upstream={colo}.example.net:80")
    ),
    "/metrics",
    "/originmap/v1/openapi.json",
    CHANGES,
    MAPPINGS,
]


@pytest.mark.parametrize("path", GETS)
@pytest.mark.parametrize("lines", [(), ("Connection: keep-alive",), ("Accept-Encoding: gzip",)])
async def test_a_response_to_http_1_0_has_no_chunks_and_ends_with_the_connection(
    server: InProcess, path: str, lines: tuple[str, ...]
) -> None:
    async with Connection(server.url) as connection:
        assert (await connection.ask("PUT", ONE, ITEM)).status == 200
    async with Connection(server.url) as connection:
        await connection.send(request("GET", path, headers={**BEARER, **dict(pair(lines))}))
        whole = await connection.answer()
        body = whole.body or await connection.chunks()
    async with Connection(server.url) as connection:
        await connection.send(old("GET", path, *lines))
        answer = await connection.answer()
        assert answer.status == 200
        assert "transfer-encoding" not in answer.headers
        assert answer.headers["connection"] == "close"
        received = answer.body + await connection.ended()
    if path != "/metrics":
        assert received == body


def pair(lines: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (line.partition(": ") for line in lines)]


async def test_envoys_requests_in_http_1_0_are_answered_too(server: InProcess) -> None:
    asked = b'{"node":{"metadata":{"originmap":{"upstream":["{colo}.example.net:80"]}}}}'
    async with Connection(server.url) as connection:
        await connection.send(old("POST", "/v3/discovery:clusters", body=asked))
        answer = await connection.answer()
        assert answer.status == 200
        assert "transfer-encoding" not in answer.headers
        received = await connection.ended()
    assert received.startswith(b"{")
    assert received.endswith(b"}\n")


async def test_a_stream_of_events_is_refused_to_http_1_0(server: InProcess) -> None:
    answer = await answer_to(server, old("GET", CHANGES, "Accept: text/event-stream"))
    assert answer.refusal == (400, 10400)
    assert_logged(server, answer)


async def test_head_of_http_1_0_has_no_body(server: InProcess) -> None:
    async with Connection(server.url) as connection:
        await connection.send(old("HEAD", "/originmap/v1/snapshot"))
        answer = await connection.answer("HEAD")
        assert (answer.status, "transfer-encoding" in answer.headers) == (200, False)
        assert await connection.ended() == b""


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_http_1_0_keep_alive_is_refused(server: InProcess, method: str) -> None:
    """Otherwise the client waits for an end of the connection that never comes."""
    body = b'{"origin_ip":"192.0.2.1","vendor":"aws","region":"us-east-1"}'
    content = old(method, ONE, "Connection: keep-alive", body=body if method == "PUT" else b"")
    async with Connection(server.url) as connection:
        await connection.send(content)
        answer = await connection.answer()
        assert answer.headers["connection"] == "close"
        assert await connection.ended() == b""


async def test_http_1_0_never_gets_100_continue(server: InProcess) -> None:
    """RFC 9110 §10.1.1: the expectation is ignored in HTTP/1.0."""
    body = b'{"origin_ip":"192.0.2.1","vendor":"aws","region":"us-east-1"}'
    answer = await answer_to(server, old("PUT", ONE, "Expect: 100-continue", body=body))
    assert answer.status == 200


HOSTS = {
    "none": [],
    "two": ["Host: a", "Host: b"],
    "the same twice": ["Host: a", "Host: a"],
    "two in one": ["Host: a, b"],
    "a user": ["Host: user@a"],
    "a path": ["Host: a/b"],
    "a blank": ["Host: a b"],
    "a port that is no number": ["Host: a:http"],
    "an open bracket": ["Host: [::1"],
}


@pytest.mark.parametrize("path", [ONE, MAPPINGS, "/healthz", "/nowhere"])
@pytest.mark.parametrize("name", HOSTS)
async def test_a_request_without_exactly_one_host_is_refused(
    server: InProcess, name: str, path: str
) -> None:
    lines = "".join(f"{line}\r\n" for line in HOSTS[name]).encode()
    content = b"GET %b HTTP/1.1\r\n%b%b\r\n" % (path.encode(), AUTH, lines)
    async with Connection(server.url) as connection:
        await connection.send(content)
        answer = await connection.answer()
        assert answer.refusal == NOT_HTTP
        assert "Host" in answer.json["errors"][0]["message"]
        assert await connection.ended() == b""
    assert_logged(server, answer)


@pytest.mark.parametrize(
    "host",
    ["", "localhost", "a:8787", "192.0.2.1:80", "[::1]:8787", "a_b.example.com.", "xn--p1ai"],
)
async def test_any_host_is_accepted(server: InProcess, host: str) -> None:
    content = f"GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    assert (await answer_to(server, content)).status == 200


async def test_http_1_0_does_not_need_a_host_and_refuses_two(server: InProcess) -> None:
    assert (await answer_to(server, old("GET", MAPPINGS))).status == 200
    assert (await answer_to(server, old("GET", MAPPINGS, "Host: a", "Host: b"))).status == 400
