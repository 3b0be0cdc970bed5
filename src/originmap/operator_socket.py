"""Where a server listens for the operator: a Unix socket beside the database, for paths of any
length. Whoever may open it may do everything, as whoever may open the database: both are guarded
by file permissions alone.

A Unix socket's address holds about 100 bytes (unix(7)); a longer path is reached through a
descriptor of its folder, which Linux shows under /proc/self/fd.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

_LONGEST = 100
_LONGEST_NAME = 64


def socket_path(database: Path) -> Path:
    """The socket beside a database file, whichever link leads to the file."""
    real = database.resolve()
    name = real.name
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return real.with_name(name + ".sock")


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A spelling of `path` short enough for bind and connect, while the context lasts."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
