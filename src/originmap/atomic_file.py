"""Atomic file replacement: after a crash a file has either its old or its new content.

1. Write the new content to a temporary file in the same folder and sync it. If that fails, the
   file is unchanged.
2. Rename the temporary file over the file.
3. Sync the folder, so that the rename survives a power failure.

Symbolic links are followed: the target is replaced and the link stays. Devices, pipes and folders
are rejected. A file that already has the new content is not touched.
"""

import contextlib
import errno
import filecmp
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from originmap.file_mode import set_mode

_NEW = 0o666
"""Mode of a new file before the umask, if the caller sets no mode."""


def target_of(path: Path) -> Path:
    """The file that a path leads to; it need not exist. Raises OSError for a loop of links and
    for anything but a regular file."""
    target = Path(os.path.realpath(path))
    try:
        mode = os.lstat(target).st_mode
    except FileNotFoundError:
        return target
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return target


@contextlib.contextmanager
def replacing(path: Path, mode: int | None = None) -> Iterator[BinaryIO]:
    """Replace a file with the content written in the `with` block. It is in place and synced when
    the block ends without an exception.

    `mode` sets the permissions; by default an existing file keeps its own and a new file gets the
    umask's. Raises OSError; the file is then unchanged.
    """
    target = target_of(path)
    new = target.with_name(f".{target.name}.{secrets.token_hex(4)}.new")
    first_mode = _NEW if mode is None else mode
    file = open(new, "xb", opener=lambda name, flags: os.open(name, flags, first_mode))  # noqa: SIM115
    try:
        with file:
            yield file
            file.flush()
            _set_mode(file.fileno(), target, mode)
            same = _is_same(new, target)
            if not same:
                os.fsync(file.fileno())
        if same:
            new.unlink()
            return
        new.replace(target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def replace_file(path: Path, content: Iterable[bytes], mode: int | None = None) -> None:
    """Replace the content of a file atomically. Raises OSError; the file is then unchanged."""
    with replacing(path, mode) as file:
        file.writelines(content)


def sync_folder(folder: Path) -> None:
    """Sync a folder, so that its created, renamed and removed files survive a power failure.
    Without effect on Windows, which cannot open a folder."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _set_mode(descriptor: int, target: Path, mode: int | None) -> None:
    if mode is None and target.exists():
        mode = stat.S_IMODE(target.stat().st_mode)
    if mode is not None:
        set_mode(descriptor, mode)


def _is_same(new: Path, target: Path) -> bool:
    """Whether both files have the same content and the same mode."""
    try:
        same_mode = target.stat().st_mode == new.stat().st_mode
        return same_mode and filecmp.cmp(new, target, shallow=False)
    except OSError:
        return False  # the target does not exist or is not readable
