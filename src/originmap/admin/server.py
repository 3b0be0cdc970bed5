"""The server's end of the admin socket."""

import asyncio
import contextlib
import logging
import os
import socket
from pathlib import Path

import msgspec

from originmap.admin import wire
from originmap.admin.path import reachable
from originmap.domain.errors import OriginmapError, StoreFailed
from originmap.service.administration import Administration, Streamed
from originmap.service.chunks import Chunks

_LOG = logging.getLogger(__name__)
_SECONDS = 10.0


class AdminServer:
    """Answers commands on a Unix socket that only this user can open."""

    def __init__(self, administration: Administration, path: Path) -> None:
        self._administration = administration
        self._path = path
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. A socket left behind by a process that died is replaced: whoever owns the
        database owns its socket."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with reachable(self._path) as address:
            # Made with no rights for others from the start, not corrected afterwards.
            mask = os.umask(0o177)
            try:
                sock.bind(address)
            finally:
                os.umask(mask)
        self._server = await asyncio.start_unix_server(
            self._answer, sock=sock, limit=wire.LONGEST_LINE
        )

    async def close(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one command."""
        chunks: Chunks | None = None
        try:
            async with asyncio.timeout(_SECONDS):
                reply, chunks = await self._reply(await _line(reader))
                writer.write(wire.encode(reply))
                await writer.drain()
            if chunks is not None:
                await self._send(chunks, writer)
        except (OSError, TimeoutError, ValueError, StoreFailed):
            _LOG.warning("an admin connection broke off")
        finally:
            writer.close()
            if chunks is not None:
                await chunks.aclose()

    async def _reply(self, line: bytes) -> tuple[wire.Reply, Chunks | None]:
        """The reply to a command, and the bytes that follow it."""
        try:
            command = wire.decode_command(line)
        except wire.NotACommand as error:
            hint = "update this command line"
            return wire.Reply(error=f"not a command: {error}", hint=hint), None
        try:
            if isinstance(command, Streamed):
                return wire.Reply(), await self._administration.stream(command)
            answer = await self._administration.run(command)
        except OriginmapError as error:
            return wire.Reply(error=str(error), hint=error.hint), None
        return wire.Reply(msgspec.to_builtins(answer)), None

    async def _send(self, chunks: Chunks, writer: asyncio.StreamWriter) -> None:
        """All chunks, and the end; `_SECONDS` for each to be taken."""
        async for chunk in chunks:
            if chunk:
                writer.write(wire.frame(chunk))
                async with asyncio.timeout(_SECONDS):
                    await writer.drain()
        writer.write(wire.frame(b""))
        async with asyncio.timeout(_SECONDS):
            await writer.drain()


async def _line(reader: asyncio.StreamReader) -> bytes:
    """What is sent up to the end of the line; of a line that is too long, its beginning."""
    try:
        return await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        return error.partial
    except asyncio.LimitOverrunError:
        return await reader.read(1)
