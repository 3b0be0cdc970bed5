"""A server inside the test's process, on a thread and a loopback port, with limits of the test's
choice.

Clients see the same behaviour as from a server process: uvloop, the server, the protocol and the
application. Only the store is in memory, and the log is written to a file that tests can read.
"""

import asyncio
import json
import logging
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import uvloop

from originmap import bootstrap
from originmap.api.access_log import AccessLog, JSONFormatter
from originmap.api.application import Application
from originmap.api.http.limits import Limits
from originmap.api.http.protocol import Context
from originmap.api.request_ids import RequestIDs
from originmap.api.server import HTTPServer
from originmap.bootstrap_application import build_app
from originmap.service import initial_data

BuildApp = Callable[[bootstrap.Opened], Application]


def whole_app(opened: bootstrap.Opened) -> Application:
    """The application of `originmap dev`."""
    return build_app(opened, lambda: True)


class InProcess:
    """A running server; a context manager."""

    def __init__(self, log: Path, limits: Limits, build_app: BuildApp = whole_app) -> None:
        self._log = log
        self._limits = limits
        self._build_app = build_app
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=lambda: uvloop.run(self._serve()))
        self._server: HTTPServer | None = None
        self._up = threading.Event()

    @property
    def connections(self) -> int:
        """The number of open connections."""
        assert self._server is not None
        return len(self._server.connections.open)

    def close_connections(self) -> None:
        """Close every connection on the server side, after its buffer is sent."""
        assert self._server is not None
        for connection in list(self._server.connections.open):
            self._loop.call_soon_threadsafe(connection.transport.close)

    def lines(self) -> list[dict[str, Any]]:
        """The log. A line is written shortly after its answer, so stop the server first."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def stop(self, grace: float = 0) -> None:
        """Stop, without waiting for clients longer than so many seconds, and write all log
        lines."""
        assert self._server is not None
        self._loop.call_soon_threadsafe(self._server.stop, grace)
        self._thread.join(20)
        assert not self._thread.is_alive()

    def __enter__(self) -> "InProcess":
        self._thread.start()
        assert self._up.wait(20)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread.is_alive():
            self.stop()

    async def _serve(self) -> None:
        descriptor = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        handler = logging.FileHandler(self._log)
        handler.setFormatter(JSONFormatter())
        logging.getLogger().addHandler(handler)
        try:
            async with bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened:
                await self._run(self._build_app(opened), AccessLog(descriptor))
        finally:
            logging.getLogger().removeHandler(handler)
            handler.close()
            os.close(descriptor)

    async def _run(self, application: Application, log: AccessLog) -> None:
        self._loop = asyncio.get_running_loop()
        context = Context(application, self._limits, RequestIDs(), log)
        self._server = HTTPServer(context, application.stop)
        asyncio.get_running_loop().call_soon(self._up.set)
        await self._server.serve(self._socket)
        log.flush()
