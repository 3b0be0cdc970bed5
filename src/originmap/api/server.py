"""The HTTP server of a process: accepts connections until it stops, and then ends them."""

import asyncio
import contextlib
import logging
import math
import signal
import socket
import time
from collections.abc import Callable

from originmap.api.connections import Connections
from originmap.api.http.protocol import Connection, Context
from originmap.service.background import running

_LOG = logging.getLogger(__name__)

GRACE_SECONDS = 10
"""Shutdown timeout: requests that still run are aborted then."""

_BACKLOG = 2048
_POLL_SECONDS = 0.01


class HTTPServer:
    """A server of the running event loop."""

    def __init__(self, context: Context, on_stop: Callable[[], None]) -> None:
        """`on_stop` ends long polls and streams, which the shutdown would wait for."""
        self.connections = Connections()
        self._context = context
        self._on_stop = on_stop
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._deadline = math.inf
        self._set_date()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Finish the current requests, and abort those that run longer than `grace` seconds. Can be
        called again with less."""
        self._deadline = min(self._deadline, self._loop.time() + grace)
        if not self.stopping:
            self._stop.set()
            self._on_stop()

    async def serve(self, sock: socket.socket) -> None:
        """Serve the connections of this listening socket until `stop`, and close it."""

        def connection() -> Connection:
            return Connection(self._context, self.connections)

        async with running(self._keep_date()):
            listener = await self._loop.create_server(connection, sock=sock, backlog=_BACKLOG)
            await self._stop.wait()
            listener.close()
            await self._end()

    async def _end(self) -> None:
        connections = self.connections
        connections.end()
        await asyncio.sleep(_POLL_SECONDS)  # for those accepted last, which are not open yet
        while connections.open or connections.work:
            if self._loop.time() >= self._deadline:
                left = {"connections": len(connections.open), "requests": len(connections.work)}
                _LOG.warning("aborted at the end of the shutdown timeout", extra={"data": left})
                connections.abort()
                await asyncio.sleep(_POLL_SECONDS)  # for what follows the end of a connection
                break
            await asyncio.sleep(_POLL_SECONDS)

    async def _keep_date(self) -> None:
        """Change the date at each full second. Without uvloop this also limits how long a signal
        from another thread waits: only the next timer wakes that loop."""
        while True:
            self._set_date()
            await asyncio.sleep(1 - time.time() % 1)

    def _set_date(self) -> None:
        """The header of RFC 9110 section 6.6.1."""
        self.connections.set_header(
            "date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        )


def stop_on_signals(server: HTTPServer) -> None:
    """Stop on SIGTERM, SIGINT and, on Windows, SIGBREAK from now on; at once on a second SIGINT."""
    loop = asyncio.get_running_loop()

    def stop(number: int, frame: object) -> None:
        impatient = number == signal.SIGINT and server.stopping
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends already
            loop.call_soon_threadsafe(server.stop, 0 if impatient else GRACE_SECONDS)

    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        if number := getattr(signal, name, None):
            signal.signal(number, stop)
