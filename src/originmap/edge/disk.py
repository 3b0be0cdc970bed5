"""Files that are whole or not there: temporary beside the place, synced, renamed."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path


def digest_of(path: Path) -> str:
    """SHA-256 of a file; "" where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def sync(path: Path) -> None:
    """Make sure that what was written to a file is on disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folders(paths: Iterable[Path]) -> None:
    """Make sure that the names of these files are on disk as they are now."""
    for folder in sorted({path.parent for path in paths}):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, that a cache can look into: it runs as another user, and
    the umask of a service is meant for its own files."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        each.chmod(0o755)


def replace(path: Path, content: bytes, mode: int) -> None:
    """Put `content` in the place of a file."""
    new = path.with_name(f".{path.name}.new")
    with new.open("wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_folders([path])
