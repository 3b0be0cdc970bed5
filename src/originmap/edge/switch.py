"""Replaces the files of a cache together, in a way that can be undone.

    0  remove backup links left by a crash
    1  record the files as pending                  after a crash from here on: `recover` restores
    2  link each old file to a backup, .NAME.previous
    3  sync each new file, .NAME.new, and rename it to its place
    4  the caller checks the files                  on failure: `restore`
    5  record the files as written                  after a crash from here on: the new files stay
    6  remove the backup links                      later, because removing a large file takes long

Files that belong together are restored together, at whichever step the switch is interrupted. The
names start with a dot, so that patterns that include a whole folder do not match them.
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
    """The path of the new file before it is put in place."""
    return path.with_name(f".{path.name}.new")


def previous_of(path: Path) -> Path:
    """The path of the backup of the old file."""
    return path.with_name(f".{path.name}.previous")


class FileSwitch:
    """Switches the files of one cache."""

    def __init__(self, record: ApplyRecord) -> None:
        self._record = record

    def recover(self) -> list[Path]:
        """Undo a switch that was interrupted or whose `restore` failed. Returns the restored
        files. Raises CannotWrite."""
        return self._restore()

    def install(self, paths: Sequence[Path]) -> None:
        """Put the new files in place. Call `recover` first if an earlier switch was not undone.
        Raises CannotWrite, after restoring the old files."""
        self._remove_stale_backups(paths)
        pending = {str(path): path.exists() for path in paths}
        self._record.save(msgspec.structs.replace(self._record.state, pending=pending))
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
            self._restore()
            raise

    def restore(self) -> None:
        """Undo the switch. Raises CannotWrite."""
        self._restore()

    def commit(self, files: dict[str, str]) -> None:
        """Keep the new files, as not loaded by the cache yet. Raises CannotWrite."""
        before = self._record.state
        after = msgspec.structs.replace(before, files=files, loaded=False, pending={})
        self._record.save(after)

    def clean(self) -> None:
        """Remove the backups, if they are no longer needed. Those that remain are removed before
        the next switch."""
        state = self._record.state
        if not state.pending:
            disk.discard(previous_of(Path(name)) for name in state.files)

    def _remove_stale_backups(self, paths: Sequence[Path]) -> None:
        """Remove the backups that a crash after `commit` left: they are older than the current
        files."""
        with _writing(paths):
            left = [path for path in paths if os.path.lexists(previous_of(path))]
            for path in left:
                previous_of(path).unlink()
            disk.sync_folders(left)

    def _restore(self) -> list[Path]:
        state = self._record.state
        paths = [Path(name) for name in state.pending]
        with _writing(paths):
            for path in paths:
                if previous_of(path).exists():
                    previous_of(path).replace(path)
                    # rename(2) does nothing if both names are links to the same file.
                    previous_of(path).unlink(missing_ok=True)
                elif not state.pending[str(path)]:
                    path.unlink(missing_ok=True)
            disk.sync_folders(path for path in paths if path.parent.exists())
        self._record.save(msgspec.structs.replace(state, pending={}))
        return paths


@contextlib.contextmanager
def _writing(paths: Iterable[Path]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotWrite(error.filename or ", ".join(map(str, paths)), error) from error
