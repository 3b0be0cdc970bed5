"""Which store a `--db` names, and what can be done with a database as a whole."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from originmap.domain.errors import StoreUnusable
from originmap.service import copying
from originmap.settings import postgres_environment
from originmap.store import database_name
from originmap.store.database_name import check_name
from originmap.store.memory import MemoryStore
from originmap.store.migrations import all_migrations
from originmap.store.port import Store
from originmap.store.postgres.url import is_postgres, redacted
from originmap.store.sqlite.file import SqliteFile
from originmap.store.sqlite.replica import open_replica
from originmap.store.sqlite.store import SqliteStore

MEMORY = database_name.MEMORY


def is_file(db: str) -> bool:
    """Whether `db` names a file, which one process owns."""
    return db != MEMORY and not is_postgres(db)


def shown(db: str) -> str:
    """`db` as it may be printed: without a password."""
    return redacted(db)


async def store_of(db: str, *, serves: bool = False) -> Store:
    """The store that `db` names, for a process that serves others or for a command. Raises
    StoreError."""
    check_name(db)
    if db == MEMORY:
        return MemoryStore()
    if is_postgres(db):
        # Loaded where it is used: the driver takes longer to load than a SQLite file to open.
        from originmap.store.postgres import store as postgres

        return await postgres.open_postgres(db, environment=postgres_environment(), serves=serves)
    return SqliteStore(Path(db))


@contextlib.asynccontextmanager
async def opened_replica(
    db: str, *, always_copy: bool = False, serves: bool = False
) -> AsyncIterator[Store]:
    """As `opened`, for a copy that can be fetched again; a file that is damaged is moved aside."""
    if is_file(db):
        check_name(db)
        store: Store = open_replica(Path(db), always_copy=always_copy)
    else:
        store = await store_of(db, serves=serves)
    try:
        yield store
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def opened(db: str, *, serves: bool = False) -> AsyncIterator[Store]:
    """As `store_of`, closed at the end. Raises StoreError."""
    store = await store_of(db, serves=serves)
    try:
        yield store
    finally:
        await store.close()


async def migrate(db: str) -> tuple[int, int]:
    """Bring a database that is there to the present form; its versions before and after.
    Raises StoreError."""
    _check_there(db)
    if is_postgres(db):
        from originmap.store.postgres import store as postgres

        return await postgres.migrate(db, postgres_environment())
    file = SqliteFile(Path(db))
    file.close()
    return file.version_before, all_migrations()[-1].version


async def copy(source: str, target: str, step: copying.Step, *, replace: bool) -> copying.Tally:
    """Copy a database that is there into another. Raises StoreError."""
    _check_there(source)
    async with opened(source) as old, opened(target) as new:
        return await copying.copy(old, new, shown(target), step, replace=replace)


def _check_there(db: str) -> None:
    check_name(db)
    if db == MEMORY or (is_file(db) and not Path(db).exists()):
        raise StoreUnusable(db, "there is no such file", "give the path of one")
