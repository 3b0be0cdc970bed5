"""The server's side of the operator's socket."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from originmap.operator_socket import USE_SERVER, obstacle, reachable

_LOG = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def operator_listener(
    path: Path, make_protocol: Callable[[], asyncio.Protocol]
) -> AsyncIterator[None]:
    """Listen on a Unix socket that only this user can open, and remove it on exit. A socket that a
    crashed process left is replaced: the process that owns the database owns its socket. On a
    system that can have no socket there, this logs a warning only."""
    if why := obstacle(path):
        extra = {"socket": str(path), "why": why, "hint": f"commands: {USE_SERVER}"}
        _LOG.warning("no operator socket", extra={"data": extra})
        yield
        return
    _remove(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with reachable(path) as address:
        # Created with restricted permissions from the start.
        mask = os.umask(0o177)
        try:
            sock.bind(address)
        finally:
            os.umask(mask)
    server = await asyncio.get_running_loop().create_unix_server(make_protocol, sock=sock)
    try:
        yield
    finally:
        server.close()
        _remove(path)


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
