"""The Unix socket beside the database, on which a server listens for the operator.

File permissions alone protect it: a process that can open the socket, like one that can open the
database, has every permission.

A Unix socket's address holds about 100 bytes (unix(7)). A longer path is reached through a
descriptor of its folder, under /proc/self/fd on Linux.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

_LONGEST = 100
_LONGEST_NAME = 64


def socket_path(database: Path) -> Path:
    """The socket beside a database file; symbolic links to the file are resolved first."""
    real = database.resolve()
    name = real.name
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return real.with_name(name + ".sock")


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A form of `path` short enough for bind and connect, valid inside the `with` block."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
