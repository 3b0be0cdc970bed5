"""Files that are replaced as a whole: a crash leaves the old content or the new, no mixture.

    the new content is written beside the file, and synced     it fails: the file is as before
    it is renamed over the file
    the folder is synced, so that the new name survives a power cut

A symbolic link is followed: the file that it leads to is replaced, and the link stays. Devices,
pipes and folders are refused. A file that has these bytes already is left alone.
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

_NEW = 0o666
"""What the umask is taken from, for a new file of which nobody says who may read it."""


def target_of(path: Path) -> Path:
    """The file that a path leads to, which need not be there yet. Raises OSError where links lead
    in a circle, and where something else than a file is there."""
    target = Path(os.path.realpath(path))
    try:
        mode = os.lstat(target).st_mode
    except FileNotFoundError:
        return target
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is no file", str(path))
    return target


@contextlib.contextmanager
def replacing(path: Path, mode: int | None = None) -> Iterator[BinaryIO]:
    """Write the new content of a file in a block; it is in place and on disk when that ends well.

    `mode` says who may read it; without one that stays as it is, and is left to the umask for a
    new file. Raises OSError, with the file as before.
    """
    target = target_of(path)
    new = target.with_name(f".{target.name}.{secrets.token_hex(4)}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(new, flags, _NEW if mode is None else mode)
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            _set_mode(file.fileno(), target, mode)
            if _is_same(new, target):
                new.unlink()
                return
            os.fsync(file.fileno())
        new.replace(target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def replace_file(path: Path, content: Iterable[bytes], mode: int | None = None) -> None:
    """Replace the content of a file, as `replacing` does."""
    with replacing(path, mode) as file:
        file.writelines(content)


def sync_folder(folder: Path) -> None:
    """Make sure that the names of a folder's files are on disk as they are now."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _set_mode(descriptor: int, target: Path, mode: int | None) -> None:
    if mode is None and target.exists():
        mode = stat.S_IMODE(target.stat().st_mode)
    if mode is not None:
        os.fchmod(descriptor, mode)


def _is_same(new: Path, target: Path) -> bool:
    """Whether the file has these bytes, and may be read by the same."""
    try:
        same_mode = target.stat().st_mode == new.stat().st_mode
        return same_mode and filecmp.cmp(new, target, shallow=False)
    except OSError:
        return False  # there is none, or this user cannot read it
