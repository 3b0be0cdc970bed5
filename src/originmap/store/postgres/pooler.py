"""Detection of poolers in front of PostgreSQL that do not keep sessions; they are rejected.

Prepared statements, notifications and settings need a session. In session mode, a pooler such as
PgBouncer keeps one session per client.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

import asyncpg

from originmap.domain.errors import StoreUnusable

_ROUNDS = 5
_SECONDS = 5.0
_POOL = "allow 10 connections for each Originmap process, and more for snapshots"

Connect = Callable[[], Awaitable[asyncpg.Connection]]


async def check_session(
    connection: asyncpg.Connection, connect: Connect, redacted_url: str
) -> None:
    """Raises StoreUnusable if `connection` does not keep its session. `connect` opens another
    connection; both must be unused.

    The statements have no parameters, so that nothing is prepared. Their status tells the number of
    rows, one or none.
    """
    # A pooler reports a made-up process ID at the start of the connection.
    if await _is_true(connection, f"pg_backend_pid() = {connection.get_server_pid()}"):
        return
    try:
        async with asyncio.timeout(_SECONDS):
            other = await connect()
            try:
                keeps = await _keeps_session(connection, other)
            finally:
                other.terminate()
    except TimeoutError:
        reason = "the pooler in front of it provides no second connection"
        raise StoreUnusable(redacted_url, reason, _POOL) from None
    if not keeps:
        raise StoreUnusable(
            redacted_url,
            "the pooler in front of it is in transaction or statement mode, which is not supported",
            "set pool_mode = session in PgBouncer, or connect directly to PostgreSQL",
        )


async def _keeps_session(connection: asyncpg.Connection, other: asyncpg.Connection) -> bool:
    """Mark the session of one connection, and check that it always has the mark and the other
    connection never does.

    A pooler that prefers the session used last gives the marked session to the other connection; a
    pooler that rotates sessions gives the first connection another one.
    """
    mark = secrets.token_hex(8)
    marked = f"current_setting('originmap.session', true) = '{mark}'"
    await connection.execute(f"SELECT set_config('originmap.session', '{mark}', false)")
    for _ in range(_ROUNDS):
        if not (await _is_true(connection, marked) and await _is_true(connection, marked)):
            return False
        if await _is_true(other, marked):
            return False
    return True


async def _is_true(connection: asyncpg.Connection, condition: str) -> bool:
    return bool(await connection.execute(f"SELECT WHERE {condition}") == "SELECT 1")
