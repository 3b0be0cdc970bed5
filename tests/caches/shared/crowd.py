"""Many small HTTP servers in one thread, fast enough for ten thousand requests.

Each answers with its name and the request's X-Originmap-Colo header, and notes the paths of its
requests.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, TypeVar

import uvloop

from tests.caches.network import free_port

T = TypeVar("T")
SECONDS = 60


class Member:
    """One server of a crowd; it can be stopped and started."""

    def __init__(self, name: str, host: str, crowd: "Crowd") -> None:
        self.name = name
        self.host = host
        self.port = free_port(host)
        self.paths: list[str] = []
        self._crowd = crowd
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def endpoint(self) -> str:
        return f"{self.host}:{self.port}"

    def start(self) -> None:
        self._crowd.run(self._start())

    def stop(self) -> None:
        """Refuse connections and close those that are open."""
        self._crowd.run(self._stop())

    async def _start(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, self.host, self.port)

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()
        while self._writers:
            await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while self._server is not None:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                self.paths.append(head.split()[1])
                _, _, rest = head.partition("\r\nx-originmap-colo:")
                body = f"{self.name} {rest.partition(chr(13))[0].strip()}".encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: %d\r\n\r\n%b"
                    % (len(body), body)
                )
                await writer.drain()
                if "\r\nconnection: close" in head:  # a probe
                    break
        except (OSError, EOFError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


class Crowd(Mapping[str, Member]):
    """Servers by name, all of which are started; a context manager."""

    def __init__(self, hosts: Mapping[str, str]) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._members = {name: Member(name, host, self) for name, host in hosts.items()}
        self.start()

    def __getitem__(self, name: str) -> Member:
        return self._members[name]

    def __iter__(self) -> Any:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def start(self) -> None:
        """Start all that do not listen."""
        for member in self._members.values():
            member.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    def ask(self, port: int, paths: Iterable[str], host: str, headers: str = "") -> dict[str, str]:
        """Request each path from a cache on this port; the body by path, "" for an error."""
        return self.run(_ask(port, list(paths), host, headers))

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *of: object) -> None:
        for member in self._members.values():
            member.stop()
        self.run(_end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


async def _end_tasks() -> None:
    """End the other tasks, so that no connection is left open."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _ask(port: int, paths: list[str], host: str, headers: str) -> dict[str, str]:
    bodies: dict[str, str] = {}
    waiting = iter(paths)

    async def work() -> None:
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        for path in waiting:
            head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n".encode()
            reused = connection is not None
            body, keep = "", False
            for _ in range(1 + reused):  # closed while it was idle, as at a reload
                try:
                    connection = connection or await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    break
                body, keep = await _one(*connection, head)
                if body or keep:
                    break
                connection[1].close()
                connection = None
            bodies[path] = body
            if connection and not keep:
                connection[1].close()
                connection = None
        if connection:
            connection[1].close()

    await asyncio.gather(*(work() for _ in range(16)))
    return bodies


async def _one(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
) -> tuple[str, bool]:
    """A body, "" for an error, and whether the connection can be used again."""
    try:
        writer.write(head)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        _, _, rest = answer.partition("content-length:")
        if rest:
            body = await reader.readexactly(int(rest.partition("\r")[0]))
            keep = "connection: close" not in answer
        else:
            body, keep = await _chunks(reader), True
    except (OSError, EOFError):
        return "", False
    return (body.decode() if " 200 " in answer.partition("\r")[0] else ""), keep


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return body
