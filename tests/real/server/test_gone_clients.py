"""Clients that disconnect during a long answer."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from originmap.api.application import Application
from originmap.api.http.limits import Limits
from originmap.bootstrap import Opened
from originmap.service.chunks import Chunks
from originmap.service.export.exports import Export, Exports, Prepare
from originmap.service.feed.snapshots import LOCAL, SnapshotReader
from tests.real.inprocess import InProcess, whole_app
from tests.real.server.wire import Connection, request
from tests.waiting import until


class WithoutEnd(Exports):
    """Exports that never end, in chunks of `size` bytes: the number of running exports and of
    chunks.
    """

    making, chunks, size = 0, 0, 1

    async def open(self, prepare: Prepare, reader: SnapshotReader = LOCAL) -> tuple[Export, Chunks]:
        return prepare(await self.now()), Chunks(self._chunks())

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        self.making += 1
        try:
            while True:
                self.chunks += 1
                yield bytes(self.size)
                await asyncio.sleep(0)
        finally:
            self.making -= 1


@contextlib.contextmanager
def endless(folder: Path, size: int) -> Iterator[tuple[InProcess, WithoutEnd]]:
    """A server with these exports."""
    made: list[WithoutEnd] = []

    def build(opened: Opened) -> Application:
        made.append(WithoutEnd(opened.store, opened.topologies, opened.catalogues))
        made[0].size = size
        return whole_app(opened._replace(exports=made[0]))

    with InProcess(folder / "log", Limits(), build) as server:
        yield server, made[0]


@pytest.mark.parametrize("size", [10, 100_000])
async def test_a_file_is_generated_only_while_the_client_is_connected(
    tmp_path: Path, size: int
) -> None:
    """Also if the client disconnects while its connection is full."""
    with endless(tmp_path, size) as (server, exports):
        async with Connection(server.url) as connection:
            await connection.send(request("GET", "/originmap/v1/export/csv"))
            await until(lambda: exports.chunks > 2)
            assert exports.making
            await asyncio.sleep(0.1)
        await until(lambda: not exports.making)
        lines = server.lines()
    assert [line["level"] for line in lines] == ["info"] * len(lines)


async def test_an_interrupted_file_has_no_end_marker(tmp_path: Path) -> None:
    """A connection that is closed still sends its buffer, which must not look like a complete
    response.
    """
    with endless(tmp_path, 100_000) as (server, exports):
        async with Connection(server.url) as connection:
            await connection.send(request("GET", "/originmap/v1/export/csv"))
            await until(lambda: exports.chunks > 2)
            server.close_connections()
            received = await connection.ended()
    assert len(received) > 100_000
    assert not received.endswith(b"0\r\n\r\n")
