"""Migration of a PostgreSQL database, safe if several processes start at once."""

import asyncpg

from originmap.domain.errors import StoreUnusable
from originmap.store.migrations import all_migrations
from originmap.store.postgres.pool import Servers, Variables, close, failing
from originmap.store.postgres.url import redacted

MIGRATING = 0x4F524D50_00000001  # advisory locks are numbers: "ORMP" and an index
RECORDS = 0x4F524D50_00000002
NODES = 0x4F524D50_00000003  # held, shared, by each node that listens

SIZE = """
    SELECT sum(pg_total_relation_size(name::regclass))::bigint
    FROM unnest(ARRAY['state', 'zone', 'mapping', 'record', 'change']) AS name"""
# Objects of extensions (such as the views of Citus) do not count as foreign tables.
_FOREIGN = """
    SELECT count(*) FROM pg_class AS c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT EXISTS (SELECT FROM pg_depend AS d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    """


async def migrate_database(url: str, environment: Variables) -> tuple[int, int]:
    """Migrate the database of `url` and return the versions before and after. Raises StoreError."""
    connection = await Servers(url, environment).first_connection()
    try:
        with failing():
            return await migrate(connection, url)
    finally:
        await close(connection)


async def migrate(connection: asyncpg.Connection, url: str) -> tuple[int, int]:
    """Apply the missing migrations and return the versions before and after.

    Other processes that start at the same time wait. All migrations run in one transaction. Raises
    StoreUnusable for a database of another program or of a later version of Originmap.
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
                f"its schema has version {before}, and this program supports up to {newest}",
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
        reason = "no schema of its search_path exists"
        raise StoreUnusable(redacted(url), reason, "create the schema, or change search_path")
    if await connection.fetchval("SELECT to_regclass('originmap') IS NOT NULL"):
        return int(await connection.fetchval("SELECT version FROM originmap"))
    if await connection.fetchval(_FOREIGN):
        raise StoreUnusable(
            redacted(url),
            "it contains tables of another program",
            "create a database for Originmap only, and set --db to it",
        )
    return 0
