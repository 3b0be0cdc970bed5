"""Limits and checks of a server's responses."""

import asyncio
import functools
import json
import math
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from originmap.domain.errors import (
    AnswerTooLarge,
    BrokenFeed,
    PrimaryGone,
    PrimaryMoved,
    PrimaryRefused,
)
from originmap.edge.follow.feed_client import FeedClient
from originmap.service.feed.feed import Point
from tests.builders import ZONE_ID

POINT = Point("8c0f", 1)
Pieces = Callable[[], AsyncIterator[bytes]]
MIB = 1 << 20


@asynccontextmanager
async def client(body: Pieces, *headers: str, status: int = 200, most: int = 4 * MIB):
    """A client of a server with one fixed response."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            head = [f"HTTP/1.1 {status} So", "Connection: close", *headers, "", ""]
            writer.write("\r\n".join(head).encode())
            async for piece in body():
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with (
        server,
        FeedClient(f"http://127.0.0.1:{port}", "token", "name", most=most) as found,
    ):
        yield found


def once(body: bytes) -> Pieces:
    async def pieces() -> AsyncIterator[bytes]:
        yield body

    return pieces


def forever(piece: bytes, first: bytes = b"") -> Pieces:
    async def pieces() -> AsyncIterator[bytes]:
        yield first
        while True:
            yield piece

    return pieces


def gzip(content: bytes) -> bytes:
    compressor = zlib.compressobj(1, zlib.DEFLATED, 31)
    return compressor.compress(content) + compressor.flush()


async def read(feed: FeedClient) -> int:
    return len([part async for part in feed.snapshot()])


START = b'{"originmap_snapshot":1,"epoch":"8c0f","revision":1,"at":1}\n'


@functools.cache
def zeros() -> bytes:
    """256 MiB, compressed."""
    return gzip(b"0" * (256 * MIB))


def zone_line(n: int) -> bytes:
    id_ = f"{n:032x}"
    value = {"id": id_, "name": f"z{n}.example", "account_id": "a", "created_on": 1}
    value["modified_on"] = 1
    return json.dumps({"kind": "zone", "id": id_, "value": value}).encode() + b"\n"


def endless_zones() -> Pieces:
    async def pieces() -> AsyncIterator[bytes]:
        yield START
        n = 0
        while True:
            n += 1
            yield zone_line(n)

    return pieces


async def test_changes_have_a_size_limit_after_decompression() -> None:
    async with client(once(zeros()), "Content-Encoding: gzip") as feed:
        with pytest.raises(AnswerTooLarge, match="64 MiB"):
            await feed.changes(POINT, 100, 0)


@pytest.mark.parametrize("status", [300, 302, 304, 308])
async def test_a_redirect_without_a_target_is_an_error_of_the_feed(status: int) -> None:
    async with client(once(b""), status=status) as feed:
        with pytest.raises(PrimaryRefused, match=str(status)):
            await feed.changes(POINT, 100, 0)


@pytest.mark.parametrize("target", ["https://xn--a.example/", "http://[::1", "//a:b/"])
async def test_a_redirect_to_an_invalid_name_is_an_error_of_the_feed(target: str) -> None:
    async with client(once(b""), f"Location: {target}", status=302) as feed:
        with pytest.raises(BrokenFeed, match="it redirects to an invalid URL"):
            await feed.changes(POINT, 100, 0)


async def test_a_redirect_is_an_error_with_its_target() -> None:
    location = "Location: http://user:s3cret@other.example/originmap/v1/changes"
    async with client(once(b""), location, status=302) as feed:
        with pytest.raises(PrimaryMoved, match=r"http://[^ ]*other\.example") as caught:
            await feed.changes(POINT, 100, 0)
    assert "s3cret" not in str(caught.value)


async def test_endless_changes_time_out() -> None:
    async with client(forever(b" " * MIB)) as feed:
        with pytest.raises(AnswerTooLarge):
            await feed.changes(POINT, 100, 0)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "deflate"])
async def test_encodings_that_were_not_requested_are_refused(encoding: str) -> None:
    async with client(once(gzip(zeros())), f"Content-Encoding: {encoding}") as feed:
        with pytest.raises(BrokenFeed, match="has the encoding"):
            await feed.changes(POINT, 100, 0)


async def test_a_damaged_or_truncated_response_is_an_error() -> None:
    for body in (b"no gzip", gzip(b"{}")[:-3], gzip(b"{}") + b"more"):
        async with client(once(body), "Content-Encoding: gzip") as feed:
            with pytest.raises(BrokenFeed):
                await feed.changes(POINT, 100, 0)


@pytest.mark.parametrize(
    "body",
    [endless_zones(), forever(b"x" * MIB, START)],
    ids=["of zones", "a line"],
)
async def test_an_endless_snapshot_is_an_error(body: Pieces) -> None:
    async with client(body) as feed:
        with pytest.raises(AnswerTooLarge, match="4 MiB"):
            await read(feed)


async def test_a_line_of_a_snapshot_has_a_size_limit() -> None:
    async with client(forever(b"x" * MIB, START), most=1 << 40) as feed:
        with pytest.raises(BrokenFeed, match="longer than 64 MiB"):
            await read(feed)


async def test_a_snapshot_has_a_size_limit_after_decompression() -> None:
    async with client(once(zeros()), "Content-Encoding: gzip") as feed:
        with pytest.raises(AnswerTooLarge):
            await read(feed)


async def test_a_zone_without_end_is_an_error() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield START
        yield zone_line(int(ZONE_ID, 16))
        n = 0
        while True:
            n += 1
            row = [f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "aws", "us-east-1", 1, 1]
            yield json.dumps({"zone_id": ZONE_ID, "mappings": [row]}).encode() + b"\n"

    async with client(pieces, most=1 << 40) as feed:
        with pytest.raises(BrokenFeed, match="more than 3500 mappings"):
            await read(feed)


async def test_only_the_beginning_of_an_error_text_is_read() -> None:
    for status, error in ((403, PrimaryRefused), (502, PrimaryGone)):
        async with client(forever(b"no " * MIB), status=status) as feed:
            with pytest.raises(error, match="no no"):
                await feed.changes(POINT, 100, 0)
            with pytest.raises(error, match="no no"):
                await read(feed)


@pytest.mark.parametrize(
    ("header", "age"), [("", 0.0), ("1.5", 1.5), ("-3", math.inf), ("nan", math.inf)]
)
async def test_an_invalid_age_is_infinite(header: str, age: float) -> None:
    result = {"epoch": "8c0f", "since": 1, "revision": 1, "reset": False, "changes": []}
    body = json.dumps({"result": result}).encode()
    headers = [f"originmap-replica-age: {header}"] if header else []
    async with client(once(body), *headers) as feed:
        await feed.changes(POINT, 100, 0)
        assert feed.age == age


@pytest.mark.parametrize(
    "changed", [{"epoch": "9999"}, {"since": 2}, {"revision": 10**16}, {"changes": [1]}]
)
async def test_a_response_to_another_request_is_an_error(changed: dict[str, object]) -> None:
    result = {"epoch": "8c0f", "since": 1, "revision": 1, "reset": False, "changes": []}
    async with client(once(json.dumps({"result": result | changed}).encode())) as feed:
        with pytest.raises(BrokenFeed):
            await feed.changes(POINT, 100, 0)
