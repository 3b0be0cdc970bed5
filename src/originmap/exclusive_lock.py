"""The lock that makes one process the owner of a file.

The kernel releases it when the process ends. Elsewhere than on Windows it is a flock on the whole
file. Windows locks a range of bytes, which other handles then cannot read or write; so the range is
one unused byte: SQLite never reads or writes the page at its pending byte
(https://sqlite.org/fileformat.html §1.3), and other lock files are shorter.
"""

import os

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_UNUSED_BYTE = 0x4000_0000 + 1024
"""In the page at SQLite's pending byte, after the 512 bytes that SQLite itself locks."""


def lock(descriptor: int) -> None:
    """Lock an open file until the descriptor is closed. Raises BlockingIOError if another process
    has the lock, another OSError if the file system has no locks."""
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    import msvcrt

    os.lseek(descriptor, _UNUSED_BYTE, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except PermissionError as error:
        raise BlockingIOError(*error.args) from None
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)
