"""The feed as a stream of events from a real server: resumed, disconnected, stopped."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.real.cluster.fleet import PATIENCE, Primary, originmap
from tests.real.events import ACCEPT, Events


@pytest.fixture
async def client(primary: Primary) -> AsyncIterator[httpx.AsyncClient]:
    async with primary.client() as client:
        yield client


def stream(client: httpx.AsyncClient, **headers: str) -> Any:
    return client.stream("GET", "/originmap/v1/changes", headers={**ACCEPT, **headers})


async def test_changes_are_sent_immediately(primary: Primary, client: httpx.AsyncClient) -> None:
    async with stream(client) as answer:
        events = Events(answer)
        assert answer.headers["content-type"] == "text/event-stream"
        await primary.put(client, "192.0.2.1")
        event = await events.next()
        assert (event.name, event.id.split("-")[1]) == ("changes", str(event.data["revision"]))
        (change,) = event.data["changes"]
        assert (change["id"], change["after"]["region"]) == ("192.0.2.1", "us-east-1")


async def test_a_reader_resumes_from_the_last_id(
    primary: Primary, client: httpx.AsyncClient
) -> None:
    async with stream(client) as answer:
        await primary.put(client, "192.0.2.1")
        last = (await Events(answer).next()).id
    for n in (2, 3):
        await primary.put(client, f"192.0.2.{n}")
    async with stream(client, **{"Last-Event-ID": last}) as answer:
        events = Events(answer)
        missed = (await events.next()).data["changes"]
        assert [change["id"] for change in missed] == ["192.0.2.2", "192.0.2.3"]
        await primary.put(client, "192.0.2.4")
        (change,) = (await events.next()).data["changes"]
        assert change["id"] == "192.0.2.4"


async def test_a_reader_of_another_database_gets_a_reset(
    client: httpx.AsyncClient,
) -> None:
    async with stream(client, **{"Last-Event-ID": "0123456789abcdef-2"}) as answer:
        events = Events(answer)
        event = await events.next()
        assert (event.name, event.data["reset"]) == ("reset", True)
        assert await events.next() is None


async def test_a_revoked_token_ends_its_streams(
    primary: Primary, client: httpx.AsyncClient
) -> None:
    token = primary.new_token("short", "read")
    async with primary.client(token=token) as reader, stream(reader) as answer:
        events = Events(answer)
        rows = originmap("token", "list", "--db", primary.db)
        id_ = next(row.split()[0] for row in rows.splitlines() if " short " in row)
        originmap("token", "revoke", id_, "--db", primary.db)
        event = await events.next()
        assert (event.name, "credential" in event.data["reason"]) == ("end", True)
        await primary.put(client, "192.0.2.1")
        assert await events.next() is None


async def test_a_stream_shows_the_zones_of_its_credential_and_no_secrets(
    primary: Primary, client: httpx.AsyncClient
) -> None:
    token = primary.new_token("one zone", "read", primary.zone)
    other = originmap("zone", "create", "other.example", "--db", primary.db)
    async with primary.client(token=token) as reader, stream(reader) as answer:
        events = Events(answer)
        body = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
        path = f"/client/v4/zones/{other}/origin/cloud_regions/192.0.2.1"
        assert (await client.put(path, json=body)).status_code == 200
        primary.new_token("another", "everything")
        await primary.put(client, "192.0.2.2")
        changes = (await events.next()).data["changes"]
        assert [(change["kind"], change["id"]) for change in changes] == [("mapping", "192.0.2.2")]


async def test_a_stopping_server_ends_its_streams_with_an_event(
    primary: Primary, client: httpx.AsyncClient
) -> None:
    async with stream(client) as answer:
        events = Events(answer)
        await primary.put(client, "192.0.2.1")
        await events.next()
        stopping = asyncio.create_task(asyncio.to_thread(primary.server.stop))
        event = await events.next()
        assert (event.name, "stops" in event.data["reason"]) == ("end", True)
        assert await events.next() is None
        assert await stopping == 0


async def test_a_reader_that_does_not_read_is_disconnected_and_can_resume(
    primary: Primary, client: httpx.AsyncClient
) -> None:
    """An unread socket with a small buffer, while megabytes of changes are made."""
    slow = open_stream(primary)
    batch = primary.path("batch")
    written = 0
    for n in range(200):
        region = "us-east-1" if n % 2 else "us-west-2"
        items = [
            {"origin_ip": f"10.0.0.{i}", "vendor": "aws", "region": region} for i in range(100)
        ]
        assert (await client.put(batch, json=items)).status_code == 200
        written += 100
    slow.setblocking(True)
    slow.settimeout(PATIENCE)
    everything = b""
    while piece := slow.recv(1 << 16):
        everything += piece
        if b"0\r\n\r\n" in everything[-16:]:
            break
    slow.close()
    last = everything.rpartition(b"\nevent: end\n")
    assert b"too slow" in last[2]
    resume = last[0].rpartition(b"id: ")[2].decode()
    seen = everything.count(b'"kind":"mapping"')
    assert 0 < seen < written
    answer = await client.get("/originmap/v1/changes", params={"since": resume, "limit": 10_000})
    rest = answer.json()["result"]
    assert not rest["reset"]
    assert seen + len(rest["changes"]) >= min(written, seen + 10_000)


def open_stream(primary: Primary) -> socket.socket:
    parts = urlsplit(primary.url)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect((parts.hostname, parts.port))
    sock.sendall(
        b"GET /originmap/v1/changes HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n"
        b"authorization: Bearer " + primary.token.encode() + b"\r\n\r\n"
    )
    assert b"200 OK" in sock.recv(64)
    return sock


@pytest.mark.parametrize("path", ["changes", "snapshot"])
async def test_head_of_a_stream_has_no_length(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.head(f"/originmap/v1/{path}", headers=ACCEPT)
    assert answer.status_code == 200
    assert "content-length" not in answer.headers
    again = await client.get("/healthz")
    assert again.json()["result"] == {"status": "ok"}


async def test_a_long_poll_is_answered_after_a_change(
    primary: Primary, client: httpx.AsyncClient
) -> None:
    start = (await client.get("/originmap/v1/changes")).json()["result"]
    asked = asyncio.create_task(
        client.get("/originmap/v1/changes", params={"since": start["revision"], "wait": 15})
    )
    await asyncio.sleep(0.2)
    assert not asked.done()
    await primary.put(client, "192.0.2.1")
    (change,) = (await asked).json()["result"]["changes"]
    assert change["id"] == "192.0.2.1"


async def test_a_poll_with_a_revoked_token_returns_no_changes(
    primary: Primary, client: httpx.AsyncClient
) -> None:
    token = primary.new_token("short", "read")
    async with primary.client(token=token) as reader:
        asked = asyncio.create_task(reader.get("/originmap/v1/changes", params={"wait": 15}))
        await asyncio.sleep(0.2)
        rows = originmap("token", "list", "--db", primary.db)
        id_ = next(row.split()[0] for row in rows.splitlines() if " short " in row)
        originmap("token", "revoke", id_, "--db", primary.db)
        await primary.put(client, "192.0.2.1")
        assert (await asked).status_code == 401
