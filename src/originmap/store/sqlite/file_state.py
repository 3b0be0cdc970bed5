"""The state of a database file while a server owns it: still there, on a disk that takes more,
closed to other users, and undamaged.

SQLite goes on writing to a file that was removed or replaced, and what it acknowledges then is lost
with the process. So the file is looked at again, by its inode.
"""

import contextlib
import logging
import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

from originmap.domain.errors import StoreFailed, StoreUnusable

_LOG = logging.getLogger(__name__)
LEAST_ROOM = 4 << 20
"""Bytes that must be free: the log of a group of writes takes less than that."""
DAMAGED = "damaged"
_OTHERS = stat.S_IRWXO

_Identity = tuple[int, int]


class FileState:
    """Of one database file and the two that SQLite keeps beside it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """`descriptor` is of the file that is owned."""
        self._path = path
        self._file = _identity(os.fstat(descriptor))
        self._beside = [path.with_name(path.name + end) for end in ("-wal", "-shm")]
        self._known: dict[Path, _Identity] = {}
        self._damage = self._told = ""

    def problem(self) -> str:
        """Why the file cannot be used as it is, "" if it can. Logs what is new, and takes rights
        of other users away."""
        for path in (self._path, *self._beside):
            try:
                tighten(path)
            except StoreUnusable as error:
                return self._tell(str(error))
        moved = self.moved()
        if moved or self._damage:
            return self._tell(moved or self._damage)
        if self.room() < LEAST_ROOM:
            return self._tell(f"less than {LEAST_ROOM >> 20} MiB are free for {self._path}")
        return self._tell("")

    def moved(self) -> str:
        """Says which file was removed or replaced; "" if they are what they were."""
        if _identity_at(self._path) != self._file:
            return f"{self._path} was removed or replaced while it was in use"
        for path in self._beside:
            now = _identity_at(path)
            if path not in self._known and now is not None:
                self._known[path] = now
            if self._known.get(path) != now:
                return f"{path} was removed or replaced while it was in use"
        return ""

    def check_there(self) -> None:
        """Raises StoreFailed if what is written now would be lost."""
        if moved := self.moved():
            error = StoreFailed(moved)
            error.hint = "stop the server, put the file back, and start it again"
            raise error

    def note_damage(self, problem: str) -> None:
        """The database turned out to be damaged: nothing but another file helps."""
        self._damage = self._damage or f"{self._path} is damaged: {problem}"
        if (mark := mark_of(self._path)).exists():
            with contextlib.suppress(OSError):
                mark.write_text(DAMAGED)  # so that the next start fetches the copy again
        self.problem()

    @property
    def damaged(self) -> bool:
        """Whether damage was found."""
        return bool(self._damage)

    def room(self) -> int:
        """Bytes that the files can still grow by, by the disk and by the limits of the process."""
        try:
            disk = os.statvfs(self._path.parent)
            largest = max(path.stat().st_size for path in (self._path, *self._existing()))
        except OSError:
            return 0
        if disk.f_flag & os.ST_RDONLY:
            return 0
        blocks = disk.f_bfree if os.geteuid() == 0 else disk.f_bavail
        # Some file systems do not tell.
        free = blocks * disk.f_frsize if disk.f_blocks else 1 << 62
        limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
        return free if limit == resource.RLIM_INFINITY else min(free, limit - largest)

    def _existing(self) -> Iterator[Path]:
        return (path for path in self._beside if path.exists())

    def _tell(self, problem: str) -> str:
        if problem != self._told:
            self._told = problem
            if problem:
                _LOG.error("not ready", extra={"data": {"why": problem}})
            else:
                _LOG.warning("ready again", extra={"data": {"database": str(self._path)}})
        return problem


def mark_of(path: Path) -> Path:
    """The file that says that the database beside it is a copy of another, and DAMAGED where that
    was found to be damaged."""
    return path.with_name(path.name + "-replica")


def tighten(path: Path) -> None:
    """Take the rights of other users on a file away, if there is one. Raises StoreUnusable."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if not mode & _OTHERS:
            return
        path.chmod(0o600)
    except FileNotFoundError:
        return
    except OSError as error:
        reason = f"other users can read or write it, and that cannot be changed: {error.strerror}"
        raise StoreUnusable(str(path), reason, f"chmod 600 {path}, as its owner") from error
    if stat.S_IMODE(path.stat().st_mode) & _OTHERS:
        return  # a file system without rights
    _LOG.warning(f"{path} was open to other users, mode {mode:04o}: it has mode 0600 now")


def _identity(found: os.stat_result) -> _Identity:
    return found.st_dev, found.st_ino


def _identity_at(path: Path) -> _Identity | None:
    try:
        return _identity(path.stat())
    except OSError:
        return None
