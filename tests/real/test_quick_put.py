"""The short way of PUT writes and says exactly what the long way does."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from originmap.api.app import App
from originmap.api.limits import Limits
from originmap.bootstrap import Opened
from originmap.domain.errors import StoreBusy
from tests.process import BEARER, EMAIL, KEY, Server
from tests.real.command import output, rows
from tests.real.inprocess import InProcess, whole_app
from tests.real.probe import ITEM, MAPPINGS, ONE, assert_logged, head
from tests.real.test_quick_mapping import LONG_WAY, same
from tests.real.wire import Answer, Connection, Cut, request

WEST = {**ITEM, "region": "us-west-2"}
SAMPLE = Path(__file__).parents[1] / "detect" / "files" / "aws.json"


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


async def both_ways(server: InProcess | Server, body: bytes, path: str = ONE) -> Answer:
    """The answer of the short way, and the long way's to the same again: a PUT of what is stored
    changes nothing."""
    short = await ask(server, put(body, path))
    same(short, await ask(server, put(body, path, LONG_WAY)))
    return short


@pytest.mark.parametrize(
    "path",
    [
        "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1%20", "192.0.2%2e1", "192.0.2.9", "nonsense",
        "batch", "supported_regions", "192.0.2.1/", "", "192.0.2.1?page=1", "2001:db8::1",
    ],
)  # fmt: skip
async def test_both_ways_take_the_same_paths(server: InProcess, path: str) -> None:
    await both_ways(server, json.dumps(ITEM).encode(), f"{MAPPINGS}/{path}")


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(ITEM), json.dumps({**ITEM, "more": 1}), json.dumps([ITEM]), "{", "null", "0",
        '"x"', "\xff", json.dumps({**ITEM, "origin_ip": "::ffff:192.0.2.1"}),
        json.dumps({**ITEM, "region": "mars"}),
        json.dumps({**ITEM, "region": None}), json.dumps({"origin_ip": "192.0.2.1"}),
        json.dumps({**ITEM, "origin_ip": "192.0.2.2"}), json.dumps({**ITEM, "origin_ip": 1}),
        json.dumps(ITEM).ljust(4096), json.dumps(ITEM).ljust(4097), "[" * 4000,
    ],
)  # fmt: skip
async def test_both_ways_take_the_same_bodies(server: InProcess, body: str) -> None:
    await both_ways(server, body.encode("latin-1"))


@pytest.mark.parametrize(
    "credentials",
    [
        [], ["Authorization: Bearer unknown"], ["Authorization: Basic x"], ["Authorization:"],
        [f"X-Auth-Email: {EMAIL}", f"X-Auth-Key: {KEY}"],
        [f"Authorization: {BEARER['Authorization']}"] * 2,
        [f"Authorization: {BEARER['Authorization']}", "Authorization: Bearer unknown"],
    ],
)  # fmt: skip
async def test_both_ways_take_the_same_credentials(
    server: InProcess, credentials: list[str]
) -> None:
    body = json.dumps(ITEM).encode()

    def bare(*more: str) -> bytes:
        length = f"Content-Length: {len(body)}"
        lines = [f"PUT {ONE} HTTP/1.1", "Host: t", length, *credentials, *more, "", ""]
        return "\r\n".join(lines).encode() + body

    same(await ask(server, bare()), await ask(server, bare(LONG_WAY)))


async def test_a_condition_is_kept(server: InProcess, connection: Connection) -> None:
    first = await connection.ask("PUT", ONE, ITEM)
    stale = {**BEARER, "If-Match": '"999"'}
    assert (await connection.ask("PUT", ONE, WEST, stale)).refusal == (412, 10412)
    fresh = {**BEARER, "If-Match": first.headers["etag"]}
    assert (await connection.ask("PUT", ONE, WEST, fresh)).status == 200


async def test_a_put_in_pieces_is_answered(server: InProcess, connection: Connection) -> None:
    data = put(json.dumps(ITEM).encode())
    for n in range(len(data)):
        await connection.send(data[n : n + 1])
        await asyncio.sleep(0)
    assert (await connection.answer()).status == 200


async def test_what_follows_in_one_piece_is_answered_after_it(
    server: InProcess, connection: Connection
) -> None:
    body = json.dumps(WEST).encode()
    last = put(body, ONE, LONG_WAY)
    for cut in range(1, len(last), 7):
        await connection.send(put(body) + head("GET", ONE) + put(body) + put(body)[:cut])
        await asyncio.sleep(0)
        await connection.send(put(body)[cut:])
        answers = [await connection.answer() for _ in range(4)]
        assert {answer.result["region"] for answer in answers} == {"us-west-2"}
    await connection.send(put(body) + last + put(body))
    assert [(await connection.answer()).status for _ in range(2)] == [200, 200]
    assert await connection.ended() == b""


async def test_what_is_no_request_is_refused_after_the_answer(
    server: InProcess, connection: Connection
) -> None:
    await connection.send(put(json.dumps(ITEM).encode()) + b"\0\r\n\r\n")
    assert (await connection.answer()).status == 200
    assert (await connection.answer()).refusal == (400, 10400)
    assert await connection.ended() == b""


async def test_a_full_zone_refuses_both_ways_alike(server: InProcess) -> None:
    async with Connection(server.url) as connection:
        for n in range(35):
            items = [{**ITEM, "origin_ip": f"10.0.{n}.{i}"} for i in range(100)]
            assert (await connection.ask("PUT", f"{MAPPINGS}/batch", items)).status == 200
    assert (await both_ways(server, json.dumps(ITEM).encode())).refusal == (403, 1164)


async def test_a_store_with_too_much_to_do_refuses_both_ways_alike(tmp_path: Path) -> None:
    def build(opened: Opened) -> App:
        opened.store.refuse_writes(StoreBusy())
        return whole_app(opened)

    with InProcess(tmp_path / "log", Limits(), build) as server:
        busy = await both_ways(server, json.dumps(ITEM).encode())
    assert busy.status == 503
    assert busy.headers["retry-after"]


async def test_a_client_that_does_not_wait_has_written(server: InProcess) -> None:
    for n in range(50):
        async with Connection(server.url) as connection:
            await connection.send(put(json.dumps(ITEM if n % 2 else WEST).encode()))
    while server.connections:
        await asyncio.sleep(0.01)
    assert_logged(server)
    lines = [line for line in server.lines() if line["event"] == "request"]
    assert {(line["method"], line["status"]) for line in lines} == {("PUT", 200)}


async def test_both_ways_are_logged_alike(server: InProcess) -> None:
    body = json.dumps(ITEM).encode()
    answers = [await ask(server, put(body, ONE, *more)) for more in ([], [LONG_WAY])]
    server.stop()
    lines = {line["ray"]: line for line in server.lines() if "ray" in line}
    own = {"ray", "time", "duration_us"}
    found = [lines[answer.headers["cf-ray"]] for answer in answers]
    short, long = ({k: v for k, v in line.items() if k not in own} for line in found)
    assert short == long
    assert short["credential"]
    assert short["zone"]


async def test_a_right_that_is_taken_away_stops_the_short_way(dev: Server, tmp_path: Path) -> None:
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


@pytest.fixture
def knowing(tmp_path: Path) -> Iterator[Server]:
    """A server that has published ranges, which contradict a mapping of 192.0.2.1 to us-east-1."""
    ranges = tmp_path / "ranges"
    output("ranges", "import", SAMPLE, "--ranges", ranges)
    with Server(str(tmp_path / "dev.db"), tmp_path, "dev", ["--ranges", str(ranges)]) as server:
        yield server


async def test_both_ways_say_what_the_ranges_contradict(knowing: Server) -> None:
    answer = await both_ways(knowing, json.dumps(ITEM).encode())
    assert [message["code"] for message in answer.json["messages"]] == [11570]
    assert (await both_ways(knowing, json.dumps(WEST).encode())).json["messages"] == []


async def test_who_stops_the_server_loses_no_answer(dev: Server) -> None:
    """Puts that never stop, until the server is told to: each has an answer, or was not taken."""
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
