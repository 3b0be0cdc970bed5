"""Monitoring of a database file in use: existence, free disk space, permissions and damage.

SQLite keeps writing to a file that was removed or replaced, and those writes are lost when the
process ends. So the file's inode is checked regularly.
"""

import contextlib
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from originmap.domain.errors import StoreFailed, StoreUnusable

try:
    import resource
except ImportError:  # Windows, without such a limit
    resource = None  # type: ignore[assignment]

_LOG = logging.getLogger(__name__)
LEAST_ROOM = 4 << 20
"""Minimum of free bytes; the log of one group of writes is smaller."""
DAMAGED = "damaged"
_OTHERS = stat.S_IRWXO

_Identity = tuple[int, int]


class FileState:
    """The state of one database file and the two files that SQLite keeps beside it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """`descriptor` is of the locked file."""
        self._path = path
        self._file = _identity(os.fstat(descriptor))
        self._beside = [path.with_name(path.name + end) for end in ("-wal", "-shm")]
        self._first_seen: dict[Path, _Identity] = {}
        self._damage = self._reported = ""

    def problem(self) -> str:
        """Return why the file cannot be used, "" if it can. It logs changes of that state, and
        removes permissions of other users."""
        for path in (self._path, *self._beside):
            try:
                tighten(path)
            except StoreUnusable as error:
                return self._report(str(error))
        moved = self.moved()
        if moved or self._damage:
            return self._report(moved or self._damage)
        if self.room() < LEAST_ROOM:
            return self._report(f"less than {LEAST_ROOM >> 20} MiB free for {self._path}")
        return self._report("")

    def moved(self) -> str:
        """Return which file was removed or replaced; "" if none was."""
        if _identity_at(self._path) != self._file:
            return f"{self._path} was removed or replaced while it was in use"
        for path in self._beside:
            now = _identity_at(path)
            if path not in self._first_seen and now is not None:
                self._first_seen[path] = now
            if self._first_seen.get(path) != now:
                return f"{path} was removed or replaced while it was in use"
        return ""

    def check_there(self) -> None:
        """Raises StoreFailed if further writes would be lost."""
        if moved := self.moved():
            error = StoreFailed(moved)
            error.hint = "stop the server, restore the file, and start the server again"
            raise error

    def note_damage(self, problem: str) -> None:
        """Record damage of the database; only another file can fix it."""
        self._damage = self._damage or f"{self._path} is damaged: {problem}"
        if (mark := mark_of(self._path)).exists():
            with contextlib.suppress(OSError):
                mark.write_text(DAMAGED)  # so that the next start makes a full sync
        self.problem()

    @property
    def damaged(self) -> bool:
        """Whether damage was detected."""
        return bool(self._damage)

    def room(self) -> int:
        """Return the bytes by which the files can grow, by the disk and by the limits of the
        process."""
        try:
            free = _free_bytes(self._path.parent)
            largest = max(path.stat().st_size for path in (self._path, *self._existing()))
        except OSError:
            return 0
        if resource is None:
            return free
        limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
        return free if limit == resource.RLIM_INFINITY else min(free, limit - largest)

    def _existing(self) -> Iterator[Path]:
        return (path for path in self._beside if path.exists())

    def _report(self, problem: str) -> str:
        if problem != self._reported:
            self._reported = problem
            if problem:
                _LOG.error("not ready", extra={"data": {"why": problem}})
            else:
                _LOG.warning("ready again", extra={"data": {"database": str(self._path)}})
        return problem


def _free_bytes(folder: Path) -> int:
    """The bytes that this user can add to a disk. Raises OSError."""
    if not hasattr(os, "statvfs"):
        import shutil  # it takes long to load, and only Windows needs it

        return shutil.disk_usage(folder).free
    disk = os.statvfs(folder)
    if disk.f_flag & os.ST_RDONLY:
        return 0
    blocks = disk.f_bfree if os.geteuid() == 0 else disk.f_bavail
    # Some file systems do not report free space.
    return blocks * disk.f_frsize if disk.f_blocks else 1 << 62


def mark_of(path: Path) -> Path:
    """Return the path of the file that marks the database beside it as a copy of another one. It
    contains DAMAGED if the copy was damaged."""
    return path.with_name(path.name + "-replica")


def tighten(path: Path) -> None:
    """Remove the permissions of other users from a file, if it exists. Raises StoreUnusable."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if not mode & _OTHERS:
            return
        path.chmod(0o600)
    except FileNotFoundError:
        return
    except OSError as error:
        reason = (
            f"other users can read or write it, and its mode cannot be changed: {error.strerror}"
        )
        raise StoreUnusable(str(path), reason, f"run as its owner: chmod 600 {path}") from error
    if stat.S_IMODE(path.stat().st_mode) & _OTHERS:
        return  # a file system without permissions
    _LOG.warning(f"{path} was accessible to other users (mode {mode:04o}); changed to mode 0600")


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino


def _identity_at(path: Path) -> _Identity | None:
    try:
        return _identity(path.stat())
    except OSError:
        return None
