"""Bringing a PostgreSQL database to the present form, whoever else is doing the same."""

import asyncpg

from originmap.domain.errors import StoreUnusable
from originmap.store.migrations import all_migrations
from originmap.store.postgres.url import redacted

MIGRATING = 0x4F524D50_00000001  # advisory locks are numbers: "ORMP", and which one
RECORDS = 0x4F524D50_00000002
NODES = 0x4F524D50_00000003  # held, shared, by each node that listens

# What an extension brings (Citus its views) is nobody's table.
_FOREIGN = """
    SELECT count(*) FROM pg_class AS c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT EXISTS (SELECT FROM pg_depend AS d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    """


async def migrate(connection: asyncpg.Connection, url: str) -> tuple[int, int]:
    """Apply the steps that are missing; the versions before and after.

    Others that start at the same time wait for the first. All steps are one transaction. Raises
    StoreUnusable for a database of another program, or of a later version of this one.
    """
    newest = all_migrations(".pg.sql")[-1].version
    async with connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute("SET LOCAL lock_timeout = 0")
        await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATING)
        before = await _version(connection, url)
        if before > newest:
            raise StoreUnusable(
                redacted(url),
                f"it is at version {before}, this program knows versions up to {newest}",
                "run the version of originmap that last used it, or a newer one",
            )
        for migration in all_migrations(".pg.sql"):
            if migration.version > before:
                await connection.execute(migration.sql)
        if before < newest:
            await connection.execute("UPDATE originmap SET version = $1", newest)
    return before, newest


async def _version(connection: asyncpg.Connection, url: str) -> int:
    if await connection.fetchval("SELECT current_schema()") is None:
        reason = "its search_path leads to no schema"
        raise StoreUnusable(redacted(url), reason, "make the schema, or name another")
    if await connection.fetchval("SELECT to_regclass('originmap') IS NOT NULL"):
        return int(await connection.fetchval("SELECT version FROM originmap"))
    if await connection.fetchval(_FOREIGN):
        raise StoreUnusable(
            redacted(url),
            "it holds tables of another program",
            "make a database for originmap alone, and name it in --db",
        )
    return 0
