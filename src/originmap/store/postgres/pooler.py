"""Poolers before a PostgreSQL server: those that hand sessions on between transactions are refused.

A session is needed for prepared statements, notifications and settings. In session mode a pooler
such as PgBouncer keeps one for each client.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

import asyncpg

from originmap.domain.errors import StoreUnusable

_ROUNDS = 5
_SECONDS = 5.0
_POOL = "give its pool 10 connections for each process of Originmap, and more for snapshots"

Connect = Callable[[], Awaitable[asyncpg.Connection]]


async def check_session(connection: asyncpg.Connection, connect: Connect, shown: str) -> None:
    """Raises StoreUnusable where `connection` does not keep its session. `connect` makes another
    one; neither may have been used before.

    Statements go without parameters, so nothing is prepared; their status says how many rows there
    are, one or none.
    """
    # A pooler makes up the process id that it tells at the start.
    if await _is_true(connection, f"pg_backend_pid() = {connection.get_server_pid()}"):
        return
    try:
        async with asyncio.timeout(_SECONDS):
            other = await connect()
            try:
                kept = await _keeps_session(connection, other)
            finally:
                other.terminate()
    except TimeoutError:
        reason = "the pooler before it gives no second connection"
        raise StoreUnusable(shown, reason, _POOL) from None
    if not kept:
        raise StoreUnusable(
            shown,
            "the pooler before it is in transaction or statement mode, which is not supported",
            "set pool_mode = session in PgBouncer, or connect to PostgreSQL itself",
        )


async def _keeps_session(connection: asyncpg.Connection, other: asyncpg.Connection) -> bool:
    """Mark the session of one connection, and look whether it has the mark each time, and the
    other never has. A pooler that takes the session used last gives it to the other connection;
    one that takes turns gives the first connection another session the next time."""
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
