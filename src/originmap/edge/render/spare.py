"""Copies of large files, made between updates, so that an update writes only what changes.

A cache can have a file in place open or mapped as long as it likes, so that file is never written
again. Its spare copy, which nobody else reads, becomes the next version.
"""

import contextlib
import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from originmap.edge import disk

_LOG = logging.getLogger(__name__)
_FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
SMALLEST = 1 << 20
"""Bytes of a file with a spare copy. Smaller files are copied when they change."""


class _Spare(NamedTuple):
    """The mark of the copied file, and the mark of the copy."""

    source: str
    copy: str


class Spares:
    """The spare copies of the files of a node."""

    def __init__(self) -> None:
        self._spares: dict[Path, _Spare] = {}
        self._failed: set[Path] = set()

    def prepare(self, marks: Mapping[Path, str]) -> None:
        """Copy the large ones of these files, which have these marks, and sync the copies. A file
        that cannot be copied, because the disk is full for example, has no spare copy."""
        for path, mark in marks.items():
            known = self._spares.get(path)
            if known is None or known.source != mark:
                self._spares.pop(path, None)
                self._prepare(path)

    def _prepare(self, path: Path) -> None:
        try:
            if path.stat().st_size >= SMALLEST:
                self._copy(path)
            self._failed.discard(path)
        except OSError as error:
            if path not in self._failed:
                self._failed.add(path)
                data = {"file": str(path), "why": error.strerror}
                _LOG.warning("no spare copy; changes take longer", extra={"data": data})

    def take(self, path: Path, mark: str, new: Path) -> BinaryIO | None:
        """The spare copy of a file with this mark, moved to the path `new` and open for writing;
        None if there is none."""
        known = self._spares.pop(path, None)
        if known is None or known.source != mark:
            return None
        with contextlib.suppress(OSError):
            spare_of(path).replace(new)
            file = os.fdopen(os.open(new, _FLAGS), "r+b")
            if disk.mark_of(file.fileno()) == known.copy:
                return file
            file.close()
        return None

    def discard(self) -> None:
        """Remove all copies."""
        disk.discard(map(spare_of, self._spares))
        self._spares = {}

    def _copy(self, path: Path) -> None:
        spare = spare_of(path)
        spare.unlink(missing_ok=True)
        try:
            with path.open("rb") as file, spare.open("xb") as copy:
                source = disk.mark_of(file.fileno())
                shutil.copyfileobj(file, copy, 1 << 20)
                copy.flush()
                os.fsync(copy.fileno())
                self._spares[path] = _Spare(source, disk.mark_of(copy.fileno()))
        except OSError:
            disk.discard([spare])
            raise


def spare_of(path: Path) -> Path:
    """The path of the spare copy of a file."""
    return path.with_name(f".{path.name}.spare")
