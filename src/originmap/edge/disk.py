"""Digest and durability of the files that a cache loads."""

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from originmap.atomic_file import sync_folder


def digest_of(path: Path) -> str:
    """SHA-256 of a file; "" if the file does not exist."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def mark_of(path: Path | int) -> str:
    """A mark of a file, or of its descriptor, that changes when its content is written or the file
    is replaced: size and modification time; "" if the file cannot be read. Inode numbers are left
    out, because they are not constant on some file systems."""
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"


def sync(path: Path) -> None:
    """Sync the content of a file to disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folders(paths: Iterable[Path]) -> None:
    """Sync the folders of these files, so that renames survive a power failure."""
    for folder in sorted({path.parent for path in paths}):
        sync_folder(folder)


def discard(paths: Iterable[Path]) -> None:
    """Remove files, ignoring errors."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, readable for a cache that runs as another user: the umask
    of the service is for its own files."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        each.chmod(0o755)
