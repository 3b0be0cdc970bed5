"""A SQLite database file: owning, opening, migrating and closing it.

One process owns a file, shown by a flock on the file itself, which the system drops when the
process dies, however it dies, and which holds for every name of the file. SQLite's own locks are
of another kind. Two connections are open in that process: one that writes and one that reads, so
that reads go on while a commit waits for the disk.
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import msgspec

from originmap.domain.errors import StoreFailed, StoreOwned, StoreUnusable
from originmap.store.migrations import all_migrations
from originmap.store.sqlite.file_state import FileState, tighten

APPLICATION_ID = 0x4F524D50  # "ORMP": marks the file as ours, https://sqlite.org/pragma.html
_CACHE_KIB = 65536
_CHECKPOINT_PAGES = 8000
"""Pages of the write-ahead log, 32 MiB, after which it is folded into the file. Writes spread over
millions of mappings touch a page each; in larger portions, more of them meet on the same pages."""
_MAPPED_BYTES = 1 << 30
_BESIDE = ("-wal", "-shm")
_SMALLEST = 512  # bytes of the smallest page; SQLite takes a file of one byte for an empty one


class SqliteFile:
    """An owned and migrated database file."""

    def __init__(self, path: Path, *, erases: bool = False) -> None:
        """What is deleted is overwritten with `erases`, not only left for others to use. Raises
        StoreOwned when another process has the file, StoreUnusable when it cannot be ours."""
        self.path = path
        self._lock = _own(path)
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
        # Instead of SQLite's own checkpoints, which come within a commit: the reader is held at
        # the state before it then, and the log could never be folded to its end and begun anew.
        self._log_pages = 0
        self.writer.set_wal_hook(self._note_log)

    @contextlib.contextmanager
    def first_read(self) -> Iterator[None]:
        """While a store reads what it keeps in memory: where it cannot, the file is given up as
        it is. Raises StoreUnusable."""
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
        """Whether it is time for `fold_log`."""
        return self._log_pages >= _CHECKPOINT_PAGES

    def fold_log(self) -> None:
        """Write what is in the write-ahead log into the file, as far as no reader needs it. Where
        that fails, the log is complete, and the next commit finds out."""
        with contextlib.suppress(apsw.Error):
            self.writer.wal_checkpoint()

    def empty_log(self) -> None:
        """Write all of the write-ahead log into the file and cut it off: it has pages as they
        were. Left for later while somebody reads."""
        with contextlib.suppress(apsw.Error):
            self.writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _note_log(self, connection: apsw.Connection, name: str, pages: int) -> int:
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
        """Another connection, to read through; whoever asked closes it."""
        return _connect(self.path)

    def size(self) -> int:
        """Bytes of the file and its write-ahead log."""
        log = self.path.with_name(self.path.name + "-wal")
        return sum(path.stat().st_size for path in (self.path, log) if path.exists())

    def close(self) -> None:
        """Fold the write-ahead log into the file and give the file up."""
        self.reader.close()
        with contextlib.suppress(apsw.BusyError):
            self.writer.pragma("wal_checkpoint(TRUNCATE)")
        self.writer.close()
        os.close(self._lock)


def set_aside(path: Path) -> Path:
    """Have a spoilt file, with what is beside it, under another name, where one that was set aside
    before goes; the new name. Raises StoreOwned, StoreUnusable."""
    aside = path.with_name(path.name + ".damaged")
    lock = _own(path)
    try:
        for end in ("", *_BESIDE):
            old, new = path.with_name(path.name + end), aside.with_name(aside.name + end)
            new.unlink(missing_ok=True)
            if old.exists():
                old.rename(new)
    except OSError as error:
        reason = f"it is damaged, and cannot be moved aside: {error.strerror}"
        raise StoreUnusable(str(path), reason, f"move it away: mv {path} {aside}") from error
    finally:
        os.close(lock)
    return aside


def check_pages(path: Path) -> None:
    """Look at every page of a database that nobody has open. Raises StoreOwned, StoreUnusable for
    one that is damaged."""
    lock = _own(path)
    try:
        with contextlib.closing(_connect(path)) as connection:
            found = rows(connection, "PRAGMA quick_check(1)")
    except apsw.Error as error:
        raise _unusable(path, error) from error
    finally:
        os.close(lock)
    if found != [("ok",)]:
        reason = f"it is damaged: {found[0][0]}"
        raise StoreUnusable(str(path), reason, "restore it from a backup", spoilt=True)


def rows(
    source: apsw.Connection | apsw.Cursor, sql: str, bindings: tuple[Any, ...] = ()
) -> list[Any]:
    """All rows of a statement: one left half way would keep its snapshot open."""
    return source.execute(sql, bindings).fetchall()


def _own(path: Path) -> int:
    """Lock the file, made when it is not there, by us and not by SQLite, so that nobody else can
    read it, whatever the umask. The descriptor must outlive SQLite's: closing one drops the
    locks that the process holds through others (https://sqlite.org/howtocorrupt.html §2.2)."""
    try:
        if not path.name or path.is_dir():
            raise StoreUnusable(f'"{path}"', "it names no file", "give --db a file's path")
        if not path.parent.is_dir():
            hint = f"make it: mkdir -p {path.parent}"
            raise StoreUnusable(str(path), "its folder does not exist", hint)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        hint = "give --db a path that this user may write"
        raise StoreUnusable(str(path), error.strerror or "it cannot be opened", hint) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise StoreOwned(str(path)) from None
    return handle


def _open(path: Path) -> tuple[apsw.Connection, int]:
    """A connection to the migrated database, and the version it was at."""
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
    """Make the database what this version reads; the version it was at."""
    _check_identity(connection, path)
    connection.pragma("journal_mode", "wal")
    # A commit is acknowledged only when it is on disk, also after a power cut.
    connection.pragma("synchronous", "full")
    return _migrate(connection)


def _unusable(path: Path, error: Exception) -> StoreUnusable:
    if isinstance(error, apsw.NotADBError | apsw.CorruptError | msgspec.MsgspecError):
        return StoreUnusable(str(path), str(error), "restore it from a backup", spoilt=True)
    return StoreUnusable(str(path), str(error), "is another program using it?")


def _connect(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(5000)
    connection.pragma("cache_size", -_CACHE_KIB)
    # Reading a page that is not in the cache is a memory access then, not a call.
    connection.pragma("mmap_size", _MAPPED_BYTES)
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
            spoilt=True,
        )


def _migrate(connection: apsw.Connection) -> int:
    """Bring the database to the newest version; each step commits with its number. The version
    before."""
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
