"""A SQLite database file: owning, opening, migrating and closing it.

One process owns a file, shown by a lock on a file beside it that the system drops when the
process dies, however it dies. Two connections are open in that process: one that writes and
one that reads, so that reads go on while a commit waits for the disk.
"""

import contextlib
import fcntl
import os
import secrets
from pathlib import Path
from typing import Any

import apsw

from originmap.domain.errors import StoreOwned, StoreUnusable
from originmap.store.migrations import all_migrations

APPLICATION_ID = 0x4F524D50  # "ORMP": marks the file as ours, https://sqlite.org/pragma.html
_CACHE_KIB = 65536


class SqliteFile:
    """An owned and migrated database file."""

    def __init__(self, path: Path) -> None:
        """Raises StoreOwned when another process has the file, StoreUnusable when it cannot be
        ours."""
        self.path = path
        self._lock = _own(path)
        try:
            self.writer = _open(path)
            self.reader = _connect(path)
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        """Fold the write-ahead log into the file and give the file up."""
        self.reader.close()
        with contextlib.suppress(apsw.BusyError):
            self.writer.pragma("wal_checkpoint(TRUNCATE)")
        self.writer.close()
        os.close(self._lock)


def is_owned(path: Path) -> bool:
    """Whether a process, this one included, owns the database file at `path`."""
    lock = _lock_path(path)
    if not lock.exists():
        return False
    try:
        os.close(_own(path))
    except StoreOwned:
        return True
    return False


def rows(
    source: apsw.Connection | apsw.Cursor, sql: str, bindings: tuple[Any, ...] = ()
) -> list[Any]:
    """All rows of a statement: one left half way would keep its snapshot open."""
    return source.execute(sql, bindings).fetchall()


def _lock_path(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _own(path: Path) -> int:
    if not path.parent.is_dir():
        raise StoreUnusable(
            str(path), "its folder does not exist", f"make it: mkdir -p {path.parent}"
        )
    try:
        handle = os.open(_lock_path(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnusable(str(path), f"{error.strerror}: {_lock_path(path)}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise StoreOwned(str(path)) from None
    return handle


def _open(path: Path) -> apsw.Connection:
    # Made by us and not by SQLite, so that nobody else can read it, whatever the umask.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnusable(str(path), error.strerror or "cannot be opened") from error
    try:
        connection = _connect(path)
        _check_identity(connection, path)
        connection.pragma("journal_mode", "wal")
        # A commit is acknowledged only when it is on disk, also after a power cut.
        connection.pragma("synchronous", "full")
        _migrate(connection)
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise StoreUnusable(str(path), str(error), "restore it from a backup") from error
    return connection


def _connect(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(5000)
    connection.pragma("cache_size", -_CACHE_KIB)
    return connection


def _check_identity(connection: apsw.Connection, path: Path) -> None:
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
    if tables and connection.pragma("application_id") != APPLICATION_ID:
        raise StoreUnusable(
            str(path), "it is a SQLite database of another program", "give another --db"
        )
    version = connection.pragma("user_version")
    newest = all_migrations()[-1].version
    if isinstance(version, int) and version > newest:
        raise StoreUnusable(
            str(path),
            f"it is at version {version}, this program knows versions up to {newest}",
            "run the version of originmap that last used it, or a newer one",
        )


def _migrate(connection: apsw.Connection) -> None:
    """Bring the database to the newest version; each step commits with its number."""
    for migration in all_migrations():
        version = connection.pragma("user_version")
        assert isinstance(version, int)
        if migration.version <= version:
            continue
        with connection:
            connection.execute(migration.sql)
            if migration.version == 1:
                connection.pragma("application_id", APPLICATION_ID)
                connection.execute(
                    "INSERT INTO meta (key, value) VALUES ('epoch', ?)", (secrets.token_hex(8),)
                )
            connection.pragma("user_version", migration.version)
