"""What is sent to the admin socket and is no command: one line says so, and nothing is logged."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from originmap import bootstrap
from originmap.admin import wire
from originmap.admin.path import reachable
from originmap.admin.server import AdminServer
from originmap.service import setup


@pytest.fixture
async def admin(tmp_path: Path) -> AsyncIterator[Path]:
    """An admin socket."""
    path = tmp_path / "admin.sock"
    async with bootstrap.open_store(bootstrap.MEMORY, setup.prepare_dev) as opened:
        server = AdminServer(opened.administration, path)
        await server.start()
        yield path
        await server.close()


async def reply_to(path: Path, line: bytes) -> wire.Reply:
    with reachable(path) as address:
        reader, writer = await asyncio.open_unix_connection(address, limit=wire.LONGEST_LINE)
    writer.write(line)
    writer.write_eof()
    reply = wire.decode_reply(await reader.readline())
    writer.close()
    return reply


NO_COMMANDS = {
    "nested deeply": b"[" * 100_000 + b"]" * 100_000 + b"\n",
    "nested deeply in a member": b'{"type":"ListZones","x":' + b'{"a":' * 100_000 + b"\n",
    "not JSON": b"hello\n",
    "not UTF-8": b'{"type":"\xff"}\n',
    "a number of many digits": b'{"type":' + b"9" * 5_000 + b"}\n",
    "no end": b'{"type":',
    "nothing": b"",
    "too long": b" " * (wire.LONGEST_LINE + 10) + b"\n",
}


@pytest.mark.parametrize("name", NO_COMMANDS)
async def test_what_is_no_command_is_answered_with_an_error(
    admin: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        reply = await reply_to(admin, NO_COMMANDS[name])
    assert reply.error.startswith("not a command: ")
    assert len(reply.error) < 200
    assert reply.hint == "update this command line"
    assert [record for record in caplog.records if record.exc_info] == []
