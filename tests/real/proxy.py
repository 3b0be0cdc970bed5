"""A faulty network: a TCP proxy that delays, cuts or drops data."""

import asyncio
import contextlib
from types import TracebackType
from urllib.parse import urlsplit

from tests.asyncio_server import close


class Proxy:
    """Forwards connections to a server; an async context manager.

    `refuse` closes connections immediately. `silent` forwards no data in either direction without
    closing connections, and `mute` none from the server. `delay` holds each piece back, in seconds.
    After `cut_after` bytes from the server the connection is closed. `spoil` changes one byte from
    the server after this number of bytes. `hold` stops each piece towards the server that contains
    these bytes, and sets `held`. `swap` replaces bytes from the server by others of the same
    length.
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname, parts.port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.refuse = self.silent = self.mute = False
        self.delay = 0.0
        self.cut_after: int | None = None
        self.spoil: int | None = None
        self.hold: bytes | None = None
        self.held = False
        self.swap: tuple[bytes, bytes] | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return "http://{}:{}".format(*self._server.sockets[0].getsockname())

    def cut(self) -> None:
        """Close all connections."""
        for writer in self._writers:
            writer.transport.abort()

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self.refuse = True
        await close(self._server)
        self.cut()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuse:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        try:
            await asyncio.gather(self._pass(reader, back, False), self._pass(there, writer, True))
        finally:
            for each in (writer, back):
                self._writers.discard(each)
                each.transport.abort()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, from_server: bool
    ) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                while self._holds(data, from_server):
                    await asyncio.sleep(0.02)
                await asyncio.sleep(self.delay)
                if from_server:
                    data = self._spoilt(data, passed)
                    if self.swap is not None:
                        data = data.replace(*self.swap)
                    if self.cut_after is not None and passed + len(data) > self.cut_after:
                        writer.write(data[: self.cut_after - passed])
                        break
                passed += len(data)
                writer.write(data)
                await writer.drain()
        writer.close()

    def _holds(self, data: bytes, from_server: bool) -> bool:
        if from_server:
            return self.silent or self.mute
        if self.hold is not None and self.hold in data:
            self.held = True
            return True
        return self.silent

    def _spoilt(self, data: bytes, passed: int) -> bytes:
        if self.spoil is None or not passed <= self.spoil < passed + len(data):
            return data
        changed = bytearray(data)
        changed[self.spoil - passed] ^= 0xFF
        return bytes(changed)
