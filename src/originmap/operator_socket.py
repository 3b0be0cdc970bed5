"""The Unix socket beside the database, on which a server listens for the operator.

File permissions alone protect it: a process that can open the socket, like one that can open the
database, has every permission.

A Unix socket's address holds about 100 bytes (unix(7)). A longer path is reached through a
descriptor of its folder, under /proc/self/fd on Linux. Other systems have no such folder, and
Python on Windows has no Unix sockets; there a database may have no socket.
"""

import contextlib
import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

USE_SERVER = "use --server with the server's URL and a token"
"""What to do on a system that has no socket for a database."""

_LONGEST = 100
_DESCRIPTORS = Path("/proc/self/fd")
_LONGEST_NAME = 64


def socket_path(database: Path) -> Path:
    """The socket beside a database file; symbolic links to the file are resolved first."""
    real = database.resolve()
    name = real.name
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return real.with_name(name + ".sock")


def obstacle(path: Path) -> str:
    """Why this system can have no socket at `path`; "" if it can."""
    if not hasattr(socket, "AF_UNIX"):
        return "Python has no Unix sockets on this system"
    if len(os.fsencode(path)) > _LONGEST and not _DESCRIPTORS.is_dir():
        return f"its path is longer than {_LONGEST} bytes"
    return ""


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A form of `path` short enough for bind and connect, valid inside the `with` block. Only for a
    path without an obstacle."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"{_DESCRIPTORS}/{folder}/{path.name}"
    finally:
        os.close(folder)
