"""Long responses: they end if their credential is revoked, or if the client disconnects or is too
slow.
"""

import asyncio
import contextlib
import datetime
import gc
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import pytest

from originmap.api.application import Application
from originmap.api.http.limits import Limits
from originmap.bootstrap import Opened
from originmap.edge.follow.feed_client import FeedClient
from originmap.service.chunks import Chunks
from originmap.service.export.exports import Export, Exports, Prepare
from originmap.service.feed.feed import Point
from originmap.service.feed.snapshots import LOCAL, SnapshotReader
from tests.process import BEARER, TOKEN
from tests.real.cluster.test_revocation import GROUPS, TOKENS, policies
from tests.real.inprocess import InProcess, whole_app
from tests.real.server.probe import ONE
from tests.real.server.wire import Connection, request
from tests.waiting import until

CHANGES = "/originmap/v1/changes"
EXPORT = "/originmap/v1/export/csv"
EVENTS = {"Accept": "text/event-stream"}
HASTY = Limits(stalled_seconds=0.3, least_speed=1 << 20)
SOON = 5.0


class Endless(Exports):
    """Exports that never end, `size` bytes every `pause` seconds."""

    sending = 0
    size, pause = 1 << 16, 0.0

    async def open(self, prepare: Prepare, reader: SnapshotReader = LOCAL) -> tuple[Export, Chunks]:
        return prepare(await self.now()), Chunks(self._chunks())

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        self.sending += 1
        try:
            while True:
                yield bytes(self.size)
                await asyncio.sleep(self.pause)
        finally:
            self.sending -= 1


@contextlib.contextmanager
def endless(
    folder: Path, limits: Limits, of: type[Endless] = Endless
) -> Iterator[tuple[InProcess, Endless]]:
    made: list[Endless] = []

    def build(opened: Opened) -> Application:
        made.append(of(opened.store, opened.topologies, opened.catalogues))
        return whole_app(opened._replace(exports=made[0]))

    with InProcess(folder / "log", limits, build) as server:
        yield server, made[0]


async def token(admin: Connection, **members: Any) -> tuple[str, dict[str, str]]:
    """A token with full access: its ID and its header."""
    body = {"name": "t", "policies": policies(GROUPS), **members}
    made = (await admin.ask("POST", TOKENS, body)).result
    return made["id"], {"Authorization": f"Bearer {made['value']}"}


def in_seconds(seconds: float) -> str:
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


async def write(server: InProcess) -> None:
    """Write changes continuously until cancelled."""
    async with Connection(server.url) as connection:
        for n in range(100_000):
            region = "us-east-1" if n % 2 else "us-west-2"
            item = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": region}
            assert (await connection.ask("PUT", ONE, item)).status == 200
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("how", ["revoked", "expired"])
@pytest.mark.parametrize("what", ["stream", "wait", "file"])
async def test_a_long_response_ends_with_its_credential_under_any_load(
    tmp_path: Path, what: str, how: str
) -> None:
    with endless(tmp_path, Limits()) as (server, exports):
        exports.size, exports.pause = 100, 0.01
        async with Connection(server.url) as admin, Connection(server.url) as reader:
            limits = {"expires_on": in_seconds(2)} if how == "expired" else {}
            id_, headers = await token(admin, **limits)
            # The request waits for an event that never comes, because the test is only about the
            # credential.
            path = {"file": EXPORT, "stream": CHANGES, "wait": f"{CHANGES}?wait=60"}[what]
            writing = asyncio.create_task(write(server)) if what != "wait" else None
            headers |= EVENTS if what == "stream" else {}
            began = time.monotonic()
            await reader.send(request("GET", path, None, headers))
            if what == "wait":
                await asyncio.sleep(0.2)
            else:  # the response has begun, even on a busy machine
                await reader.read_more()
            if how == "revoked":
                assert (await admin.ask("DELETE", f"{TOKENS}/{id_}")).status == 200
            if what == "wait":
                assert (await reader.answer()).status == 401
            else:
                received = await reader.ended() if what == "file" else await last_chunk(reader)
                assert received.startswith(b"HTTP/1.1 200")
                assert received.endswith(b"0\r\n\r\n") == (what == "stream")
            assert time.monotonic() - began < SOON
            await until(lambda: not exports.sending)
            if writing is not None:
                writing.cancel()


class Held(Endless):
    """Exports that wait until they are released."""

    go = False

    async def open(self, prepare: Prepare, reader: SnapshotReader = LOCAL) -> tuple[Export, Chunks]:
        self.sending += 1
        while not self.go:
            await asyncio.sleep(0.01)
        self.sending -= 1
        return await super().open(prepare, reader)


async def test_a_file_is_not_sent_if_its_credential_is_revoked_while_it_is_generated(
    tmp_path: Path,
) -> None:
    with endless(tmp_path, Limits(), Held) as (server, exports):
        assert isinstance(exports, Held)
        async with Connection(server.url) as admin, Connection(server.url) as reader:
            id_, headers = await token(admin)
            await reader.send(request("GET", EXPORT, None, headers))
            await until(lambda: exports.sending)
            assert (await admin.ask("DELETE", f"{TOKENS}/{id_}")).status == 200
            exports.go = True
            assert (await reader.answer()).status == 401


async def last_chunk(reader: Connection) -> bytes:
    """The body of a chunked response until its end."""
    async with asyncio.timeout(SOON):
        while not reader.unread.endswith(b"0\r\n\r\n"):
            await reader.read_more()
    return reader.unread


@pytest.mark.parametrize("speed", [0, 1_000])
async def test_a_client_that_reads_a_file_too_slowly_is_disconnected(
    tmp_path: Path, speed: int
) -> None:
    """Also if it reads a little each time, so that its connection is never idle."""
    with endless(tmp_path, HASTY) as (server, exports):
        async with Connection(server.url) as reader:
            await reader.send(request("GET", EXPORT))
            await until(lambda: exports.sending)
            async with asyncio.timeout(20):
                while exports.sending:
                    await asyncio.sleep(0.05)
                    if speed:
                        with contextlib.suppress(ConnectionError):
                            reader.socket.recv(speed)


async def test_a_wait_ends_with_its_connection(server: InProcess) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(50):
            connection = await stack.enter_async_context(Connection(server.url))
            await connection.send(request("GET", f"{CHANGES}?wait=60", None, BEARER))
        await until(lambda: server.connections == 50)
        await asyncio.sleep(0.2)
    await until(lambda: not server.connections)
    await until(lambda: len(server.lines()) == 50)
    assert {line["path"] for line in server.lines()} == {CHANGES}
    assert max(line["duration_us"] for line in server.lines()) < SOON * 1_000_000


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"{CHANGES}?wait=60", {}),
        (CHANGES, EVENTS),
        ("/originmap/v1/snapshot", {}),
        (EXPORT, {}),
        (ONE, {}),
    ],
    ids=["wait", "stream", "snapshot", "export", "refusal"],
)
async def test_a_connection_leaves_no_reference_cycles(
    server: InProcess, path: str, headers: dict[str, str]
) -> None:
    """Garbage collection is so rare that its work would accumulate."""

    async def visit() -> None:
        async with Connection(server.url) as connection:
            await connection.send(request("GET", path, None, BEARER | headers))
            if "wait" not in path:
                await connection.read_more()
            await asyncio.sleep(0.01)
        await until(lambda: not server.connections)

    await visit()
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            await visit()
        await asyncio.sleep(0.2)
        assert gc.collect() < 20
    finally:
        gc.enable()


async def test_a_response_of_the_primary_leaves_no_reference_cycles(
    server: InProcess,
) -> None:
    async with FeedClient(server.url, TOKEN, "replica") as client:
        delta = await client.changes(Point("0", 0), 10, 0)
        gc.collect()
        gc.disable()
        try:
            for _ in range(20):
                await client.changes(Point(delta.epoch, 0), 10, 0)
            assert gc.collect() < 20
        finally:
            gc.enable()
