"""Requests, responses and checks for the tests with raw sockets."""

import contextlib
import json
import re

from tests.process import BEARER, TOKEN, ZONE
from tests.real.inprocess import InProcess
from tests.real.server.wire import Answer, Connection, Cut

MAPPINGS = f"/client/v4/zones/{ZONE}/origin/cloud_regions"
ONE = f"{MAPPINGS}/192.0.2.1"
BATCH = f"{MAPPINGS}/batch"
REGIONS = f"{MAPPINGS}/supported_regions"
ITEM = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
MIB = 1 << 20
RAY = re.compile(r"[0-9a-f]{16}-XXX")

BODY_TOO_LARGE = (413, 1146)
URL_TOO_LONG = (414, 10414)
HEADERS_TOO_LARGE = (431, 10431)
NOT_HTTP = (400, 10400)
TOO_SLOW = (408, 10408)
BUSY = (503, 10503)
NO_ROUTE = (400, 7003)


def head(method: str, path: str, *lines: str) -> bytes:
    """The head of a request with credentials and these header lines."""
    credentials = [f"{name}: {value}" for name, value in BEARER.items()]
    return "\r\n".join(
        [f"{method} {path} HTTP/1.1", "Host: t", *credentials, *lines, "", ""]
    ).encode()


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


def batch_of_size(size: int) -> bytes:
    """A valid batch of one item, padded with blanks to `size` bytes."""
    return json.dumps([ITEM]).encode().ljust(size)


async def answer_to(server: InProcess, *pieces: bytes) -> Answer:
    """The first response to some bytes, sent piece by piece until the server stops reading."""
    async with Connection(server.url) as connection:
        with contextlib.suppress(Cut):
            for piece in pieces:
                await connection.send(piece)
        return await connection.answer()


async def assert_usable_or_closed(connection: Connection) -> None:
    """The next request on this connection has a correct response, or the connection was closed: no
    leftover bytes are taken for a response.
    """
    try:
        answer = await connection.ask("GET", "/healthz")
    except Cut:
        return
    assert answer.status == 200


def assert_logged(server: InProcess, *answers: Answer) -> None:
    """Each response has a different request ID, and a log line with it."""
    server.stop()
    lines = [line for line in server.lines() if "method" in line]
    for answer in answers:
        assert RAY.fullmatch(answer.headers["cf-ray"])
        (line,) = [line for line in lines if line["ray"] == answer.headers["cf-ray"]]
        assert line["status"] == answer.status
    assert TOKEN not in json.dumps(server.lines())
