"""Files that a cache loads, on disk: what is in them, and that they stay over a power cut."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from originmap.atomic_file import sync_folder


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
        sync_folder(folder)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, that a cache can look into: it runs as another user, and
    the umask of a service is meant for its own files."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        each.chmod(0o755)
