"""The short way of GET says exactly what the long way says, and never what is no longer so."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.process import BEARER, EMAIL, KEY, Server
from tests.real.command import output, rows
from tests.real.inprocess import InProcess
from tests.real.probe import ITEM, MAPPINGS, ONE, chunk, head
from tests.real.wire import Answer, Connection, request

WEST = {**ITEM, "region": "us-west-2"}
LONG_WAY = "Connection: close"
"""What makes the server take the long way."""


async def _ask(server: InProcess | Server, data: bytes) -> Answer:
    async with Connection(server.url) as connection:
        await connection.send(data)
        return await connection.answer()


async def _put(server: InProcess | Server, item: dict[str, str]) -> None:
    path = f"{MAPPINGS}/{item['origin_ip']}"
    assert (await _ask(server, request("PUT", path, item))).status == 200


def same(short: Answer, long: Answer) -> None:
    """Alike in all but what belongs to one answer alone."""
    own = {"cf-ray", "date", "connection"}
    assert (short.status, short.body) == (long.status, long.body)
    assert {k: v for k, v in short.headers.items() if k not in own} == {
        k: v for k, v in long.headers.items() if k not in own
    }
    assert short.headers["cf-ray"] != long.headers["cf-ray"]


@pytest.mark.parametrize(
    "path",
    [
        "192.0.2.1", "2001:db8::1", "2001:DB8:0::1", "::ffff:192.0.2.1", "2001%3adb8%3a%3a1",
        "192.0.2.9", "nonsense", "0.0.0.0", "batch", "supported_regions", "192.0.2.1/", "",
        "192.0.2.1?page=1", "192.0.2.1%2f24",
    ],
)  # fmt: skip
async def test_both_ways_answer_alike(server: InProcess, path: str) -> None:
    await _put(server, ITEM)
    await _put(server, {"origin_ip": "2001:db8::1", "vendor": "gcp", "region": "us-central1"})
    url = f"{MAPPINGS}/{path}"
    same(await _ask(server, head("GET", url)), await _ask(server, head("GET", url, LONG_WAY)))


@pytest.mark.parametrize(
    "credentials",
    [
        [], ["Authorization: Bearer unknown"], ["Authorization: Basic x"], ["Authorization:"],
        [f"X-Auth-Email: {EMAIL}", f"X-Auth-Key: {KEY}"],
        [f"authorization: {BEARER['Authorization']}"],
        [f"Authorization: {BEARER['Authorization']}"] * 2,
        [f"Authorization: {BEARER['Authorization']}", "Authorization: Bearer unknown"],
        ["Authorization: Bearer unknown", f"Authorization: {BEARER['Authorization']}"],
    ],
)  # fmt: skip
async def test_both_ways_take_the_same_credentials(
    server: InProcess, credentials: list[str]
) -> None:
    await _put(server, ITEM)

    def get(*more: str) -> bytes:
        lines = [f"GET {ONE} HTTP/1.1", "Host: t", *credentials, *more, "", ""]
        return "\r\n".join(lines).encode()

    same(await _ask(server, get()), await _ask(server, get(LONG_WAY)))


async def test_a_get_behind_a_put_on_one_connection_reads_what_was_put(server: InProcess) -> None:
    await _put(server, ITEM)
    async with Connection(server.url) as connection:
        for item in (WEST, ITEM) * 20:
            await connection.send(request("PUT", ONE, item) + head("GET", ONE) + head("GET", ONE))
            answers = [await connection.answer() for _ in range(3)]
            assert [answer.result["region"] for answer in answers] == [item["region"]] * 3


async def test_whoever_was_told_of_a_write_reads_it(server: InProcess) -> None:
    """Readers that never stop, so that reads and commits share turns of the event loop."""
    await _put(server, ITEM)
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
            put = await writer.answer()
            await reader.send(head("GET", ONE))
            assert (await reader.answer()).body == put.body
    done.set()
    await asyncio.gather(*readers)


@pytest.mark.parametrize("framing", ["length", "chunks", "nothing"])
async def test_a_get_with_a_body_leaves_the_connection_in_order(
    server: InProcess, framing: str
) -> None:
    await _put(server, ITEM)
    body = json.dumps(ITEM).encode()
    get = {
        "length": head("GET", ONE, f"Content-Length: {len(body)}") + body,
        "chunks": head("GET", ONE, "Transfer-Encoding: chunked") + chunk(body) + chunk(b""),
        "nothing": head("GET", ONE, "Content-Length: 0"),
    }[framing]
    async with Connection(server.url) as connection:
        await connection.send(get + head("GET", f"{MAPPINGS}/192.0.2.9"))
        assert (await connection.answer()).result["region"] == "us-east-1"
        assert (await connection.answer()).refusal == (404, 1142)


async def test_a_get_in_pieces_is_answered(server: InProcess) -> None:
    await _put(server, ITEM)
    data = head("GET", ONE)
    async with Connection(server.url) as connection:
        for n in range(len(data)):
            await connection.send(data[n : n + 1])
            await asyncio.sleep(0)
        assert (await connection.answer()).status == 200


async def test_both_ways_are_logged_alike(server: InProcess) -> None:
    await _put(server, ITEM)
    answers = [await _ask(server, head("GET", ONE, *more)) for more in ([], [LONG_WAY])]
    server.stop()
    lines = {line["ray"]: line for line in server.lines() if "ray" in line}
    short, long = (lines[answer.headers["cf-ray"]] for answer in answers)
    own = {"ray", "time", "duration_us"}
    assert {k: v for k, v in short.items() if k not in own} == {
        k: v for k, v in long.items() if k not in own
    }
    assert short["credential"]
    assert short["zone"]


async def test_a_revoked_token_stops_the_short_way_at_once(dev: Server, tmp_path: Path) -> None:
    await _put(dev, ITEM)
    db = tmp_path / "dev.db"
    args = ("--zone", "example.com", "--access", "read", "--db", db)
    (made,) = rows("token", "create", "reader", *args)
    get = "\r\n".join(
        [f"GET {ONE} HTTP/1.1", "Host: t", f"Authorization: Bearer {made['secret']}", "", ""]
    ).encode()
    async with Connection(dev.url) as connection:
        for _ in range(3):
            await connection.send(get)
            assert (await connection.answer()).status == 200
        output("token", "revoke", made["id"], "--db", db)
        await connection.send(get)
        assert (await connection.answer()).refusal == (401, 10000)
