"""A lock beside each file that an agent writes, so that two agents never write the same file.

It does not matter which state folders they have, nor by which links they name the file. The kernel
lets go of the lock with the process; the lock file, .NAME.lock, stays, since removing it would let
two processes lock two files of one name. It holds the number of the process, for the other's error.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from originmap.edge import disk
from originmap.edge.errors import CannotWrite, FileTaken

_MODE = 0o644


@contextlib.contextmanager
def locked(paths: Iterable[Path]) -> Iterator[None]:
    """Hold the locks of these files. Raises FileTaken, CannotWrite."""
    with contextlib.ExitStack() as held:
        for path in sorted({Path(os.path.realpath(path)) for path in paths}):
            descriptor = _open(path)
            held.callback(os.close, descriptor)
            _lock(descriptor, path)
        yield


def _open(path: Path) -> int:
    lock = path.with_name(f".{path.name}.lock")
    try:
        disk.make_folder(lock.parent)
        return os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
    except OSError as error:
        raise CannotWrite(str(lock), error) from error


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        said = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        raise FileTaken(str(path), said if said.isdecimal() else "") from None
    except OSError as error:
        raise CannotWrite(str(path), error) from error
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
