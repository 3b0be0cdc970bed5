"""Connections to a PostgreSQL server: made, made again when lost, and their errors.

Owns how a connection is set up. Several server addresses in one URL are tried in their order;
with `target_session_attrs=read-write` in it only the one that takes writes is used.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import asyncpg
from asyncpg.exceptions import InternalClientError

from originmap.domain.errors import StoreFailed, StoreUnusable
from originmap.store.postgres_url import each_server, redacted

CONNECT_SECONDS = 2.0  # for each server
COMMAND_SECONDS = 15.0
_MOST_READERS = 8

ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, InternalClientError, OSError)
"""What asyncpg raises when a database refuses, fails, or cannot be reached."""

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,  # shutting down, or starting up
    asyncpg.ReadOnlySQLTransactionError,  # no longer the primary
    InternalClientError,
    OSError,
)
_TRANSIENT = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)

_SETTINGS = {
    "application_name": "originmap",
    "statement_timeout": "15s",
    "lock_timeout": "10s",
    # A node that stands still in the middle of a commit must not stop the others for long.
    "idle_in_transaction_session_timeout": "15s",
    # Every statement is meant for an index. Without this a plan made while a table was empty
    # reads all of it until statistics are renewed.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}


def is_lost(error: BaseException) -> bool:
    """Whether the connection cannot be used any longer."""
    return isinstance(error, _LOST)


def may_repeat(error: BaseException) -> bool:
    """Whether a transaction that failed before its commit may work when it is tried again."""
    return isinstance(error, _LOST + _TRANSIENT) and not isinstance(error, TimeoutError)


def was_undone(error: BaseException) -> bool:
    """Whether the server said that it undid what was sent; a commit that anything else happened
    to may have been made."""
    return isinstance(error, (*_TRANSIENT, asyncpg.ReadOnlySQLTransactionError))


def failure(error: BaseException) -> StoreFailed:
    """The error that the port knows."""
    if isinstance(error, TimeoutError):
        return StoreFailed("the database did not answer in time")
    if isinstance(error, ConnectionRefusedError):
        return StoreFailed("connection refused")
    return StoreFailed(str(error) or type(error).__name__)


@contextlib.contextmanager
def failing() -> Iterator[None]:
    """Raise the database's errors as StoreFailed."""
    try:
        yield
    except ERRORS as error:
        raise failure(error) from error


class Servers:
    """The servers that a URL names, and connections to the first of them that can be used."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._urls = each_server(url)

    async def connect(self, *_: Any, **__: Any) -> asyncpg.Connection:
        """A new connection; the server that was used last is tried first. Raises one of ERRORS.

        asyncpg would try them itself, but within one time limit for all: a machine that does not
        answer would use it up, and the next one never get its turn.
        """
        last: Exception | None = None
        for url in self._urls:
            try:
                connection = await asyncpg.connect(
                    url,
                    timeout=CONNECT_SECONDS,
                    command_timeout=COMMAND_SECONDS,
                    server_settings=_SETTINGS,
                )
            except ERRORS as error:
                last = error
            else:
                self._urls = [url, *(other for other in self._urls if other != url)]
                return connection
        assert last is not None
        raise last

    async def first_connection(self) -> asyncpg.Connection:
        """As `connect`, at the start. Raises StoreUnusable that says what to look at."""
        shown = redacted(self.url)
        try:
            return await self.connect()
        except ValueError as error:
            # Its text may quote a part of the URL.
            hint = "write it as postgresql://user:password@host:5432/name, with % where needed"
            raise StoreUnusable(shown, "the URL cannot be read", hint) from error
        except ERRORS as error:
            raise StoreUnusable(shown, str(failure(error)), _hint(error)) from error


def _hint(error: BaseException) -> str:
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return "look at user and password, and at the server's pg_hba.conf"
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return "make the database: createdb with this name"
    if isinstance(error, asyncpg.TooManyConnectionsError):
        return "raise the server's max_connections; each process takes 10 and more"
    return "is the server running, and can it be reached from here?"


class Line:
    """One connection, made again after it was lost."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._connection: asyncpg.Connection | None = None

    async def get(self) -> asyncpg.Connection:
        """The connection. Raises one of ERRORS when it cannot be made."""
        if self._connection is None or self._connection.is_closed():
            self.drop()
            self._connection = await self._servers.connect()
        return self._connection

    def drop(self) -> None:
        """Give the connection up, whatever state it is in."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """Say good-bye to the server."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await close(connection)


class Readers:
    """The pool of connections that read. asyncpg prepares each statement once on each of them."""

    def __init__(self, servers: Servers) -> None:
        self.pool = asyncpg.create_pool(
            min_size=0, max_size=_MOST_READERS, connect=servers.connect, reset=_leave
        )

    async def open(self) -> None:
        """Make the pool ready; connections are made as they are needed."""
        await self.pool

    async def rows(self, sql: str, *arguments: Any) -> list[Any]:
        """The rows of a statement that only reads. Raises StoreFailed."""
        with failing():
            try:
                found: list[Any] = await self.pool.fetch(sql, *arguments)
            except ERRORS as error:
                if not may_repeat(error):
                    raise
                # The server was started again, or another has taken over, since the last read.
                found = await self.pool.fetch(sql, *arguments)
            return found

    async def renew(self) -> None:
        """Use none of the connections again that there are now."""
        await self.pool.expire_connections()

    async def close(self) -> None:
        """Wait for reads that go on, but not for ever."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self.pool.close()
        except ERRORS:
            self.pool.terminate()


async def _leave(connection: asyncpg.Connection) -> None:
    """What is done when a connection returns to the pool: nothing, to save a round trip. An open
    transaction was ended by asyncpg, and nothing else is left behind here."""


async def close(connection: asyncpg.Connection) -> None:
    """Say good-bye to the server, but do not wait for it for long."""
    try:
        await connection.close(timeout=CONNECT_SECONDS)
    except ERRORS:
        connection.terminate()
