"""Lock files that keep two agents from writing the same file.

The lock, .NAME.lock, is beside the file, so it works across state folders and symbolic links. The
kernel releases it when the process ends. The lock file is never removed: otherwise two processes
could hold locks on two files of the same name. It contains the process ID, for error messages.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from originmap.edge import disk
from originmap.edge.errors import CannotWrite, FileTaken
from originmap.exclusive_lock import lock

_MODE = 0o644


@contextlib.contextmanager
def locked(paths: Iterable[Path]) -> Iterator[None]:
    """Hold the locks of these files. Raises FileTaken, CannotWrite."""
    with contextlib.ExitStack() as stack:
        for path in sorted({Path(os.path.realpath(path)) for path in paths}):
            descriptor = _open(path)
            stack.callback(os.close, descriptor)
            _lock(descriptor, path)
        yield


def _open(path: Path) -> int:
    beside = path.with_name(f".{path.name}.lock")
    try:
        disk.make_folder(beside.parent)
        return os.open(beside, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, _MODE)
    except OSError as error:
        raise CannotWrite(str(beside), error) from error


def _lock(descriptor: int, path: Path) -> None:
    try:
        lock(descriptor)
    except BlockingIOError:
        process = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        raise FileTaken(str(path), process if process.isdecimal() else "") from None
    except OSError as error:
        raise CannotWrite(str(path), error) from error
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
