"""A SQLite database file: locking, opening, migrating and closing it.

One process owns a file. It holds a lock on the file itself: the system releases the lock when the
process dies, and the lock holds for every name of the file. SQLite's own locks are independent of
it. The process has two connections, one for writes and one for reads, so that reads continue while
a commit waits for the disk.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import msgspec

from originmap.domain.errors import StoreFailed, StoreOwned, StoreUnusable
from originmap.exclusive_lock import lock
from originmap.store.migrations import all_migrations
from originmap.store.sqlite.file_state import FileState, tighten

APPLICATION_ID = 0x4F524D50  # "ORMP": marks the file as ours, https://sqlite.org/pragma.html
_CACHE_KIB = 65536
_CHECKPOINT_PAGES = 8000
"""Pages of the write-ahead log (32 MiB) after which a checkpoint moves them to the file. Writes
spread over millions of mappings touch one page each; in a larger log, more of them share a page."""
_MAPPED_BYTES = 1 << 30
_BESIDE = ("-wal", "-shm")
_SMALLEST = 512  # bytes of the smallest page; SQLite treats a file of one byte as empty


class SqliteFile:
    """A locked and migrated database file."""

    def __init__(self, path: Path, *, erases: bool = False) -> None:
        """With `erases`, deleted data is overwritten, not only marked as free. Raises StoreOwned if
        another process has the file, StoreUnusable if the file cannot be used."""
        self.path = path
        self._lock = _lock_file(path)
        try:
            self.state = FileState(path, self._lock)
            for end in ("", *_BESIDE):
                tighten(path.with_name(path.name + end))
            self.writer, self.version_before = _open(path)
            self.erases = erases
            if erases:
                self.writer.pragma("secure_delete", True)
            self.reader = _connect(path)
        except BaseException:
            os.close(self._lock)
            raise
        # Checkpoints are explicit. SQLite's automatic ones run within a commit, when the reader is
        # held at the state before it, so that the log could never be checkpointed to its end and
        # restarted.
        self._log_pages = 0
        self.writer.set_wal_hook(self._count_log_pages)

    @contextlib.contextmanager
    def first_read(self) -> Iterator[None]:
        """A context in which a store reads what it keeps in memory; on an error the file is closed.
        Raises StoreUnusable."""
        try:
            yield
        except BaseException as error:
            self.reader.close()
            self.writer.close()
            os.close(self._lock)
            if isinstance(error, apsw.Error | msgspec.MsgspecError):
                raise _unusable(self.path, error) from error
            raise

    @property
    def log_is_long(self) -> bool:
        """Whether a checkpoint is due."""
        return self._log_pages >= _CHECKPOINT_PAGES

    def fold_log(self) -> None:
        """Checkpoint the write-ahead log, as far as no reader needs it. If that fails, the log is
        still complete, and the next commit detects the failure."""
        with contextlib.suppress(apsw.Error):
            self.writer.wal_checkpoint()

    def empty_log(self) -> None:
        """Checkpoint the whole write-ahead log and truncate it, because it has old versions of
        pages. Has no effect while a reader needs the log."""
        with contextlib.suppress(apsw.Error):
            self.writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _count_log_pages(self, connection: apsw.Connection, name: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        """Raise the database's errors as StoreFailed."""
        try:
            yield
        except apsw.Error as error:
            failed = StoreFailed(str(error))
            if isinstance(error, apsw.NotADBError | apsw.CorruptError):
                failed.damaged = True
                self.state.note_damage(str(error))
            raise failed from error

    def connect(self) -> apsw.Connection:
        """Open another connection for reads; the caller closes it."""
        return _connect(self.path)

    def size(self) -> int:
        """Return the bytes of the file and its write-ahead log."""
        log = self.path.with_name(self.path.name + "-wal")
        return sum(path.stat().st_size for path in (self.path, log) if path.exists())

    def close(self) -> None:
        """Checkpoint the write-ahead log, then close the file and release the lock."""
        self.reader.close()
        with contextlib.suppress(apsw.BusyError):
            self.writer.pragma("wal_checkpoint(TRUNCATE)")
        self.writer.close()
        os.close(self._lock)


def set_aside(path: Path) -> Path:
    """Rename a damaged file and the files beside it, and return the new name. An earlier file of
    that name is deleted. Raises StoreOwned, StoreUnusable."""
    aside = path.with_name(path.name + ".damaged")
    handle = _lock_file(path)
    try:
        for end in ("", *_BESIDE):
            old, new = path.with_name(path.name + end), aside.with_name(aside.name + end)
            new.unlink(missing_ok=True)
            if old.exists():
                old.rename(new)
    except OSError as error:
        reason = f"it is damaged, and cannot be moved aside: {error.strerror}"
        raise StoreUnusable(str(path), reason, f"move it yourself: mv {path} {aside}") from error
    finally:
        os.close(handle)
    return aside


def check_pages(path: Path) -> None:
    """Check every page of a database that is not open. Raises StoreOwned; StoreUnusable if it is
    damaged."""
    handle = _lock_file(path)
    try:
        with contextlib.closing(_connect(path)) as connection:
            problems = rows(connection, "PRAGMA quick_check(1)")
    except apsw.Error as error:
        raise _unusable(path, error) from error
    finally:
        os.close(handle)
    if problems != [("ok",)]:
        reason = f"it is damaged: {problems[0][0]}"
        raise StoreUnusable(str(path), reason, "restore it from a backup", spoilt=True)


def rows(
    source: apsw.Connection | apsw.Cursor, sql: str, bindings: tuple[object, ...] = ()
) -> list[Any]:
    """Return all rows of a statement. A statement that is not read to its end would keep its
    snapshot open."""
    return source.execute(sql, bindings).fetchall()


def _lock_file(path: Path) -> int:
    """Lock the file, and create it if needed, with a mode that excludes other users whatever the
    umask; SQLite would apply the umask. Return the descriptor.

    The descriptor must outlive SQLite's: closing any descriptor of a file drops the process's locks
    on it (https://sqlite.org/howtocorrupt.html §2.2).
    """
    try:
        if not path.name or path.is_dir():
            raise StoreUnusable(f'"{path}"', "it is not a file", "set --db to the path of a file")
        if not path.parent.is_dir():
            hint = f"create it: mkdir -p {path.parent}"
            raise StoreUnusable(str(path), "its folder does not exist", hint)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        hint = "set --db to a path that this user can write"
        raise StoreUnusable(str(path), error.strerror or "it cannot be opened", hint) from error
    try:
        lock(handle)
    except BlockingIOError:
        os.close(handle)
        raise StoreOwned(str(path)) from None
    return handle


def _open(path: Path) -> tuple[apsw.Connection, int]:
    """Return a connection to the migrated database, and the schema version before."""
    if 0 < path.stat().st_size < _SMALLEST:
        reason = "file is not a database"
        raise StoreUnusable(str(path), reason, "restore it from a backup", spoilt=True)
    connection = None
    try:
        connection = _connect(path)
        before = _prepare(connection, path)
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, apsw.Error):
            raise _unusable(path, error) from error
        raise
    return connection, before


def _prepare(connection: apsw.Connection, path: Path) -> int:
    """Configure and migrate the database; return the schema version before."""
    _check_identity(connection, path)
    connection.pragma("journal_mode", "wal")
    # A commit is acknowledged only after it is durable, also after a power failure.
    connection.pragma("synchronous", "full")
    connection.pragma("fullfsync", True)  # macOS: its fsync alone leaves data in the disk's cache
    return _migrate(connection)


def _unusable(path: Path, error: Exception) -> StoreUnusable:
    if isinstance(error, apsw.NotADBError | apsw.CorruptError | msgspec.MsgspecError):
        return StoreUnusable(str(path), str(error), "restore it from a backup", spoilt=True)
    return StoreUnusable(str(path), str(error), "check whether another program uses it")


def _connect(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(5000)
    connection.pragma("cache_size", -_CACHE_KIB)
    # A page that is not in the cache is then read from memory, without a system call.
    connection.pragma("mmap_size", _MAPPED_BYTES)
    return connection


def _check_identity(connection: apsw.Connection, path: Path) -> None:
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
    if tables and connection.pragma("application_id") != APPLICATION_ID:
        raise StoreUnusable(
            str(path), "it is a SQLite database of another program", "choose another --db"
        )
    version = connection.pragma("user_version")
    newest = all_migrations()[-1].version
    if isinstance(version, int) and version > newest:
        raise StoreUnusable(
            str(path),
            f"its schema has version {version}, and this program supports up to {newest}",
            "run the version of originmap that last used it, or a newer one",
            spoilt=True,
        )


def _migrate(connection: apsw.Connection) -> int:
    """Migrate the database to the newest version and return the version before. Each migration
    commits together with its number."""
    before = connection.pragma("user_version")
    assert isinstance(before, int)
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
    return before
