"""Opens the store that `--db` names; migrates and copies whole databases.

The stores with a library of their own are imported on use.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from originmap.domain.errors import StoreUnusable
from originmap.service import database_copy
from originmap.settings import postgres_environment
from originmap.store import database_name
from originmap.store.clock import Now, wall_clock
from originmap.store.database_name import check_name
from originmap.store.memory import MemoryStore
from originmap.store.port import ReadFrom, Store
from originmap.store.postgres.url import is_postgres, redacted

MEMORY = database_name.MEMORY


def is_file(db: str) -> bool:
    """Whether `db` names a SQLite file, which one process owns at a time."""
    return db != MEMORY and not is_postgres(db)


def shown(db: str) -> str:
    """`db` without its password, for messages."""
    return redacted(db)


async def store_of(
    db: str,
    *,
    serves: bool = False,
    now: Now = wall_clock,
    read_from: ReadFrom | None = None,
) -> Store:
    """Open the store that `db` names; `serves` is true for a server, false for a command. Only
    PostgreSQL can also read from a standby. Raises StoreError."""
    check_name(db)
    if db == MEMORY:
        return MemoryStore(now)
    if is_postgres(db):
        from originmap.store.postgres import store as postgres

        return await postgres.open_postgres(
            db, now, environment=postgres_environment(), serves=serves, read_from=read_from
        )
    from originmap.store.sqlite.store import SqliteStore

    return SqliteStore(Path(db), now)


@contextlib.asynccontextmanager
async def opened_replica(
    db: str, *, always_copy: bool = False, serves: bool = False
) -> AsyncIterator[Store]:
    """Open the store of a replica; close it on exit. A damaged file is moved aside, because the
    replica can fetch its content again. Raises StoreError."""
    if is_file(db):
        from originmap.store.sqlite.replica import open_replica

        check_name(db)
        store: Store = open_replica(Path(db), always_copy=always_copy)
    else:
        store = await store_of(db, serves=serves)
    try:
        yield store
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def opened(
    db: str,
    *,
    serves: bool = False,
    now: Now = wall_clock,
    read_from: ReadFrom | None = None,
) -> AsyncIterator[Store]:
    """Open the store that `db` names, as `store_of`; close it on exit. Raises StoreError."""
    store = await store_of(db, serves=serves, now=now, read_from=read_from)
    try:
        yield store
    finally:
        await store.close()


async def migrate(db: str) -> tuple[int, int]:
    """Migrate an existing database to the current schema. Returns the schema versions before and
    after. Raises StoreError."""
    _check_exists(db)
    if is_postgres(db):
        from originmap.store.postgres.schema import migrate_database

        return await migrate_database(db, postgres_environment())
    from originmap.store.migrations import all_migrations
    from originmap.store.sqlite.file import SqliteFile

    file = SqliteFile(Path(db))
    file.close()
    return file.version_before, all_migrations()[-1].version


async def copy(
    source: str, target: str, step: database_copy.Step, *, replace: bool
) -> database_copy.Tally:
    """Copy an existing database into another. Raises StoreError."""
    _check_exists(source)
    async with opened(source) as old, opened(target) as new:
        return await database_copy.copy(old, new, shown(target), step, replace=replace)


def _check_exists(db: str) -> None:
    check_name(db)
    if db == MEMORY or (is_file(db) and not Path(db).exists()):
        raise StoreUnusable(db, "no such file", "use the path of an existing database file")
