"""Requests for one mapping over a connection: in pieces, pipelined, from clients that do not wait,
during revocations, and while the server stops.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from originmap.api.application import Application
from originmap.api.http.limits import Limits
from originmap.bootstrap import Opened
from originmap.domain.errors import StoreBusy
from tests.process import BEARER, EMAIL, KEY, Server
from tests.real.command import output, rows
from tests.real.inprocess import InProcess, whole_app
from tests.real.server.probe import ITEM, MAPPINGS, ONE, assert_logged, chunk, head
from tests.real.server.wire import Answer, Connection, Cut, request

WEST = {**ITEM, "region": "us-west-2"}
SAMPLE = Path(__file__).parents[2] / "detect" / "files" / "aws.json"


@pytest.fixture
async def connection(server: InProcess) -> AsyncIterator[Connection]:
    async with Connection(server.url) as connection:
        yield connection


def put(body: bytes, path: str = ONE, *lines: str) -> bytes:
    return head("PUT", path, f"Content-Length: {len(body)}", *lines) + body


async def ask(server: InProcess | Server, data: bytes) -> Answer:
    async with Connection(server.url) as connection:
        await connection.send(data)
        return await connection.answer()


@pytest.mark.parametrize(
    ("credentials", "status"),
    [
        ([], 400), (["Authorization: Bearer unknown"], 401), (["Authorization: Basic x"], 400),
        (["Authorization:"], 400), ([f"X-Auth-Email: {EMAIL}", f"X-Auth-Key: {KEY}"], 200),
        ([f"authorization: {BEARER['Authorization']}"], 200),
        ([f"Authorization: {BEARER['Authorization']}"] * 2, 400),
        ([f"Authorization: {BEARER['Authorization']}", "Authorization: Bearer unknown"], 400),
    ],
)  # fmt: skip
async def test_a_credential_works_in_any_spelling_of_its_headers(
    server: InProcess, credentials: list[str], status: int
) -> None:
    body = json.dumps(ITEM).encode()
    lines = [f"PUT {ONE} HTTP/1.1", "Host: t", f"Content-Length: {len(body)}", *credentials, "", ""]
    data = "\r\n".join(lines).encode() + body
    assert [(await ask(server, data)).status for _ in range(2)] == [status] * 2


async def test_the_precondition_of_a_write_is_checked(
    server: InProcess, connection: Connection
) -> None:
    first = await connection.ask("PUT", ONE, ITEM)
    stale = {**BEARER, "If-Match": '"999"'}
    assert (await connection.ask("PUT", ONE, WEST, stale)).refusal == (412, 10412)
    fresh = {**BEARER, "If-Match": first.headers["etag"]}
    assert (await connection.ask("PUT", ONE, WEST, fresh)).status == 200


@pytest.mark.parametrize("method", ["PUT", "GET"])
async def test_a_request_in_pieces_is_answered(connection: Connection, method: str) -> None:
    await connection.ask("PUT", ONE, ITEM)
    data = put(json.dumps(ITEM).encode()) if method == "PUT" else head("GET", ONE)
    for n in range(len(data)):
        await connection.send(data[n : n + 1])
        await asyncio.sleep(0)
    assert (await connection.answer()).status == 200


async def test_pipelined_requests_are_answered_in_order(connection: Connection) -> None:
    body = json.dumps(WEST).encode()
    last = put(body, ONE, "Connection: close")
    for cut in range(1, len(last), 7):
        await connection.send(put(body) + head("GET", ONE) + put(body) + put(body)[:cut])
        await asyncio.sleep(0)
        await connection.send(put(body)[cut:])
        answers = [await connection.answer() for _ in range(4)]
        assert {answer.result["region"] for answer in answers} == {"us-west-2"}
    await connection.send(put(body) + last + put(body))
    assert [(await connection.answer()).status for _ in range(2)] == [200, 200]
    assert await connection.ended() == b""


async def test_an_invalid_request_is_refused_after_the_previous_answer(
    connection: Connection,
) -> None:
    await connection.send(put(json.dumps(ITEM).encode()) + b"\0\r\n\r\n")
    assert (await connection.answer()).status == 200
    assert (await connection.answer()).refusal == (400, 10400)
    assert await connection.ended() == b""


async def test_a_full_zone_accepts_no_new_mapping(connection: Connection) -> None:
    for n in range(35):
        items = [{**ITEM, "origin_ip": f"10.0.{n}.{i}"} for i in range(100)]
        assert (await connection.ask("PUT", f"{MAPPINGS}/batch", items)).status == 200
    assert (await connection.ask("PUT", ONE, ITEM)).refusal == (403, 1164)


async def test_a_busy_store_answers_with_retry_after(tmp_path: Path) -> None:
    def build(opened: Opened) -> Application:
        opened.store.refuse_writes(StoreBusy())
        return whole_app(opened)

    with InProcess(tmp_path / "log", Limits(), build) as server:
        busy = await ask(server, put(json.dumps(ITEM).encode()))
    assert busy.status == 503
    assert busy.headers["retry-after"]


async def test_a_write_is_executed_even_if_the_client_does_not_wait_for_the_response(
    server: InProcess,
) -> None:
    for n in range(50):
        async with Connection(server.url) as connection:
            await connection.send(put(json.dumps(ITEM if n % 2 else WEST).encode()))
    while server.connections:
        await asyncio.sleep(0.01)
    async with Connection(server.url) as connection:
        stored = (await connection.ask("GET", ONE)).result
    assert stored["region"] in ("us-east-1", "us-west-2")
    assert_logged(server)
    lines = [line for line in server.lines() if line.get("method") == "PUT"]
    assert len(lines) == 50
    assert {line["status"] for line in lines} <= {200, 499}


async def test_a_pipelined_get_after_a_put_reads_the_new_value(server: InProcess) -> None:
    async with Connection(server.url) as connection:
        for item in (WEST, ITEM) * 20:
            await connection.send(request("PUT", ONE, item) + head("GET", ONE) + head("GET", ONE))
            answers = [await connection.answer() for _ in range(3)]
            assert [answer.result["region"] for answer in answers] == [item["region"]] * 3


async def test_an_acknowledged_write_is_readable(server: InProcess) -> None:
    """Readers that never stop, so that reads and commits are handled in the same iterations of the
    event loop.
    """
    await ask(server, put(json.dumps(ITEM).encode()))
    done = asyncio.Event()

    async def read_on() -> None:
        async with Connection(server.url) as connection:
            while not done.is_set():
                await connection.send(head("GET", ONE) * 5)
                for _ in range(5):
                    assert (await connection.answer()).status == 200

    readers = [asyncio.ensure_future(read_on()) for _ in range(8)]
    async with Connection(server.url) as writer, Connection(server.url) as reader:
        for item in (WEST, ITEM) * 100:
            await writer.send(request("PUT", ONE, item))
            stored = await writer.answer()
            await reader.send(head("GET", ONE))
            assert (await reader.answer()).body == stored.body
    done.set()
    await asyncio.gather(*readers)


@pytest.mark.parametrize("framing", ["length", "chunks", "nothing"])
async def test_a_get_with_a_body_does_not_break_the_connection(
    connection: Connection, framing: str
) -> None:
    await connection.ask("PUT", ONE, ITEM)
    body = json.dumps(ITEM).encode()
    get = {
        "length": head("GET", ONE, f"Content-Length: {len(body)}") + body,
        "chunks": head("GET", ONE, "Transfer-Encoding: chunked") + chunk(body) + chunk(b""),
        "nothing": head("GET", ONE, "Content-Length: 0"),
    }[framing]
    await connection.send(get + head("GET", f"{MAPPINGS}/192.0.2.9"))
    assert (await connection.answer()).result["region"] == "us-east-1"
    assert (await connection.answer()).refusal == (404, 1142)


async def test_a_revocation_is_effective_immediately(dev: Server, tmp_path: Path) -> None:
    db = tmp_path / "dev.db"
    made, reads = (
        rows("token", "create", may, "--zone", "example.com", "--access", may, "--db", db)[0]
        for may in ("write", "read")
    )
    async with Connection(dev.url) as connection:
        may, may_not = ({"Authorization": f"Bearer {token['secret']}"} for token in (made, reads))
        for _ in range(3):
            assert (await connection.ask("PUT", ONE, ITEM, may)).status == 200
            assert (await connection.ask("PUT", ONE, ITEM, may_not)).refusal == (403, 10000)
            assert (await connection.ask("GET", ONE, None, may_not)).status == 200
        output("token", "revoke", made["id"], "--db", db)
        assert (await connection.ask("PUT", ONE, ITEM, may)).refusal == (401, 10000)
        output("token", "revoke", reads["id"], "--db", db)
        assert (await connection.ask("GET", ONE, None, may_not)).refusal == (401, 10000)


@pytest.fixture
def knowing(tmp_path: Path) -> Iterator[Server]:
    """A server with published ranges that contradict a mapping of 192.0.2.1 to us-east-1."""
    ranges = tmp_path / "ranges"
    output("ranges", "import", SAMPLE, "--ranges", ranges)
    with Server(str(tmp_path / "dev.db"), tmp_path, "dev", ["--ranges", str(ranges)]) as server:
        yield server


async def test_the_response_lists_mappings_that_contradict_the_ranges(knowing: Server) -> None:
    answer = await ask(knowing, put(json.dumps(ITEM).encode()))
    assert [message["code"] for message in answer.json["messages"]] == [11570]
    assert (await ask(knowing, put(json.dumps(WEST).encode()))).json["messages"] == []


async def test_a_graceful_stop_loses_no_answer(dev: Server) -> None:
    """Continuous PUTs while the server stops: each has an answer or was not executed."""
    answered = asked = 0

    async def write_on() -> None:
        nonlocal answered, asked
        async with Connection(dev.url) as connection:
            try:
                while True:
                    asked += 1
                    await connection.send(request("PUT", ONE, WEST if asked % 2 else ITEM))
                    assert (await connection.answer()).status == 200
                    answered += 1
            except Cut:
                return

    writers = [asyncio.ensure_future(write_on()) for _ in range(8)]
    while answered < 200:
        await asyncio.sleep(0.001)
    assert await asyncio.to_thread(dev.stop) == 0
    await asyncio.gather(*writers)
    assert "Traceback" not in dev.log.read_text()
