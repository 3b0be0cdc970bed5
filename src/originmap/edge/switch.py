"""Putting new files in the place of old ones, together, so that the old ones can come back.

    0  second names that a crash left go
    1  the record names the files                     a crash from here on: `recover` puts back
    2  each old file gets a second name, .NAME.previous
    3  each new file, .NAME.new, is synced to disk and renamed to its place
    4  they are checked                               it fails: `put_back`
    5  the record names them as written               a crash from here on: they stay
    6  the second names go

Files that belong together come back together, whenever it breaks off. Names with a dot before
them are left alone by the patterns with which caches include whole folders.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from originmap.edge import disk
from originmap.edge.errors import CannotWrite
from originmap.edge.record import ApplyRecord


def new_of(path: Path) -> Path:
    """Where the new file waits."""
    return path.with_name(f".{path.name}.new")


def previous_of(path: Path) -> Path:
    """Where the old one stays meanwhile."""
    return path.with_name(f".{path.name}.previous")


class FileSwitch:
    """Switches the files of one cache."""

    def __init__(self, record: ApplyRecord) -> None:
        self._record = record

    def recover(self) -> list[Path]:
        """Put back what a switch replaced that was broken off, or that could not be put back when
        it failed; which files that were. Raises CannotWrite."""
        return self._put_back()

    def make(self, paths: Sequence[Path]) -> None:
        """Put the new files in place; after `recover`, if the last switch could not be put back.
        Raises CannotWrite, with the old ones back in place."""
        self._forget_earlier(paths)
        pending = {str(path): path.exists() for path in paths}
        self._record.keep(msgspec.structs.replace(self._record.done, pending=pending))
        try:
            with _writing(paths):
                for path in paths:
                    if pending[str(path)]:
                        os.link(path, previous_of(path))
                    disk.sync(new_of(path))
                disk.sync_folders(paths)
                for path in paths:
                    new_of(path).replace(path)
                disk.sync_folders(paths)
        except CannotWrite:
            self._put_back()
            raise

    def put_back(self) -> None:
        """Undo the switch. Raises CannotWrite."""
        self._put_back()

    def settle(self, files: dict[str, str]) -> None:
        """The switch stays; the cache has not been told of these files yet. Raises
        CannotWrite."""
        before = self._record.done
        kept = msgspec.structs.replace(before, files=files, loaded=False, pending={})
        self._record.keep(kept)
        paths = [Path(name) for name in before.pending]
        with _writing(paths):
            for path in paths:
                previous_of(path).unlink(missing_ok=True)

    def _forget_earlier(self, paths: Sequence[Path]) -> None:
        """A crash after a switch was settled leaves second names, of files that are older than
        those that are to be replaced now."""
        with _writing(paths):
            left = [path for path in paths if os.path.lexists(previous_of(path))]
            for path in left:
                previous_of(path).unlink()
            disk.sync_folders(left)

    def _put_back(self) -> list[Path]:
        done = self._record.done
        paths = [Path(name) for name in done.pending]
        with _writing(paths):
            for path in paths:
                if previous_of(path).exists():
                    previous_of(path).replace(path)
                    # Renaming one name of a file to another one of it leaves both.
                    previous_of(path).unlink(missing_ok=True)
                elif not done.pending[str(path)]:
                    path.unlink(missing_ok=True)
            disk.sync_folders(path for path in paths if path.parent.exists())
        self._record.keep(msgspec.structs.replace(done, pending={}))
        return paths


@contextlib.contextmanager
def _writing(paths: Iterable[Path]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotWrite(error.filename or ", ".join(map(str, paths)), error) from error
