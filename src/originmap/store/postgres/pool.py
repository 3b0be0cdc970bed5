"""Connections to a PostgreSQL server: made, made again when lost, and their errors.

Owns how a connection is set up. Several server addresses in one URL are tried in their order;
with `target_session_attrs=read-write` in it only the one that takes writes is used.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import asyncpg
from asyncpg.exceptions import InternalClientError, TargetServerAttributeNotMatched

from originmap.domain.errors import StoreBusy, StoreFailed, StoreUnusable
from originmap.store.clock import monotonic_clock
from originmap.store.postgres.login import driver_arguments
from originmap.store.postgres.parameters import Parameters, parameters_of
from originmap.store.postgres.pooler import check_session
from originmap.store.postgres.url import read_url

T = TypeVar("T")

CONNECT_SECONDS = 2.0  # for each server, unless connect_timeout says otherwise
PATIENCE_SECONDS = 5.0
"""How long a read waits for a connection while the server has none left."""
_AGAIN_SECONDS = 0.25  # between two times that such a server is asked for one
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

Variables = Mapping[str, str]
NO_VARIABLES: Variables = MappingProxyType({})


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
    if isinstance(error, TargetServerAttributeNotMatched):
        return StoreFailed("no server in the URL is what target_session_attrs asks for")
    return StoreFailed(str(error) or type(error).__name__)


@contextlib.contextmanager
def failing() -> Iterator[None]:
    """Raise the database's errors as StoreFailed."""
    try:
        yield
    except ERRORS as error:
        raise failure(error) from error


@contextlib.contextmanager
def noticing_loss(connection: asyncpg.Connection) -> Iterator[None]:
    """Raise InterfaceError when the connection ends in the middle of a statement: between its
    preparation and its execution asyncpg then has no protocol to call."""
    try:
        yield
    except AttributeError as error:
        if not connection.is_closed():
            raise
        raise asyncpg.InterfaceError("the connection was closed in the middle") from error


class Servers:
    """The servers that a URL names, and connections to the first of them that can be used."""

    def __init__(self, url: str, environment: Variables = NO_VARIABLES) -> None:
        """Of `environment` the variables that libpq reads count. Raises StoreUnusable."""
        self._given = parameters_of(url, read_url(url), environment)
        self._arguments = driver_arguments(self._given)
        self._servers = list(self._given.servers)
        self._set_up = _set_up(self._given)

    async def connect(self, *_: Any, **__: Any) -> asyncpg.Connection:
        """A new connection; the server that was used last is tried first. Raises one of ERRORS."""
        connection = await self._connect()
        try:
            await connection.execute(self._set_up)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def patient_connection(self) -> asyncpg.Connection:
        """As `connect`; waits while the server has no connection left, then raises StoreBusy."""
        return await patiently(self.connect)

    async def first_connection(self) -> asyncpg.Connection:
        """As `connect`, at the start. Raises StoreUnusable that says what to look at."""
        shown = self._given.shown
        try:
            connection = await self._connect()
            try:
                await check_session(connection, self._connect, shown)
                await connection.execute(self._set_up)
            except BaseException:
                connection.terminate()
                raise
            return connection
        except ValueError as error:
            # Its text may quote a part of the URL.
            hint = "write it as postgresql://user@host:5432/name, with % where needed"
            raise StoreUnusable(shown, "the URL cannot be read", hint) from error
        except ERRORS as error:
            reason = str(failure(error)).partition("\n")[0]  # behind it are hints for its own tools
            raise StoreUnusable(shown, reason, _hint(error)) from error

    async def _connect(self) -> asyncpg.Connection:
        """asyncpg would try the servers itself, but within one time limit for all: a machine that
        does not answer would use it up, and the next one never get its turn."""
        last: Exception | None = None
        for server in self._servers:
            host, port = server
            try:
                connection = await asyncpg.connect(
                    host=host,
                    port=port,
                    timeout=self._given.number("connect_timeout", int(CONNECT_SECONDS)),
                    command_timeout=COMMAND_SECONDS,
                    **self._arguments,
                )
            except ERRORS as error:
                last = error
            else:
                self._servers = [server, *(other for other in self._servers if other != server)]
                _keep_alive(connection, self._given)
                return connection
        assert last is not None
        raise last


def _set_up(given: Parameters) -> str:
    """The statement that makes a session ours. A pooler such as PgBouncer takes no settings with
    the first message of a connection."""
    default = given.value("fallback_application_name", "originmap")
    name = given.value("application_name", default)
    settings = {**(given.settings or {}), "application_name": name, **_SETTINGS}
    if given.value("search_path"):
        settings["search_path"] = given.value("search_path")
    quoted = {name: value.replace("'", "''") for name, value in settings.items()}
    calls = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in quoted.items())
    return f"SELECT {calls}"


_KEEPALIVES = {
    "keepalives_idle": socket.TCP_KEEPIDLE,
    "keepalives_interval": socket.TCP_KEEPINTVL,
    "keepalives_count": socket.TCP_KEEPCNT,
}


def _keep_alive(connection: asyncpg.Connection, given: Parameters) -> None:
    """Have TCP ask whether the server is there, as libpq does unless keepalives=0."""
    sock = connection._transport.get_extra_info("socket")  # asyncpg has no other way to it
    if sock is None or sock.family == socket.AF_UNIX or given.value("keepalives") == "0":
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, option in _KEEPALIVES.items():
        if given.value(name):
            sock.setsockopt(socket.IPPROTO_TCP, option, given.number(name, 0))


async def patiently(act: Callable[[], Awaitable[T]]) -> T:
    """What `act` gives; it is tried again for a while when the server has no connection left.
    Raises StoreBusy then."""
    deadline = monotonic_clock() + int(PATIENCE_SECONDS * 1_000_000)
    while True:
        try:
            return await act()
        except asyncpg.TooManyConnectionsError:
            if monotonic_clock() > deadline:
                raise StoreBusy from None
        await asyncio.sleep(_AGAIN_SECONDS / 5)


def _hint(error: BaseException) -> str:
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return "look at user and password, and at the server's pg_hba.conf"
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return "make the database: createdb with this name"
    if isinstance(error, asyncpg.TooManyConnectionsError):
        return "raise the server's max_connections; each process takes 10 and more"
    if isinstance(error, asyncpg.ProtocolViolationError):
        return "look at the log of the pooler before the server"
    if isinstance(error, TargetServerAttributeNotMatched):
        return "name every server in the URL; Originmap needs one that takes writes"
    if isinstance(error, ssl.SSLError):
        return "look at sslmode and sslrootcert, and at the server's certificate"
    if type(error) is ConnectionError:
        return "look at sslmode, and whether the server has TLS switched on"
    if isinstance(error, socket.gaierror):
        return "look at the host in the URL; in a password @ is %40, / is %2F, # is %23"
    if isinstance(error, asyncpg.PostgresError):  # so it is running
        return "look at options in the URL or PGOPTIONS, as -c NAME=VALUE, and at the server's log"
    return "is the server running, and can it be reached from here?"


class Line:
    """One connection, made again after it was lost."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._connection: asyncpg.Connection | None = None

    async def get(self) -> asyncpg.Connection:
        """The connection. Raises one of ERRORS when it cannot be made, and StoreBusy."""
        if self._connection is None or self._connection.is_closed():
            self.drop()
            self._connection = await self._servers.patient_connection()
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
        self._servers = servers
        self._full: asyncpg.TooManyConnectionsError | None = None
        self._full_until = 0
        self.pool = asyncpg.create_pool(
            min_size=0, max_size=_MOST_READERS, connect=self._connect, reset=_leave
        )

    async def _connect(self, *_: Any, **__: Any) -> asyncpg.Connection:
        """A server that has none left is not asked by every read again."""
        if self._full is not None and monotonic_clock() < self._full_until:
            raise self._full.with_traceback(None)
        try:
            return await self._servers.connect()
        except asyncpg.TooManyConnectionsError as error:
            self._full = error
            self._full_until = monotonic_clock() + int(_AGAIN_SECONDS * 1_000_000)
            raise

    async def open(self) -> None:
        """Make the pool ready; connections are made as they are needed."""
        await self.pool

    async def rows(self, sql: str, *arguments: Any) -> list[Any]:
        """The rows of a statement that only reads. Raises StoreFailed, and StoreBusy where no
        connection could be had: the server has none left, and those of the pool are in use."""

        async def fetch() -> list[Any]:
            async with self.pool.acquire() as connection:
                with noticing_loss(connection):
                    found: list[Any] = await connection.fetch(sql, *arguments)
                    return found

        with failing():
            try:
                return await patiently(fetch)
            except ERRORS as error:
                if not may_repeat(error):
                    raise
                # The server was started again, or another has taken over, since the last read.
                return await patiently(fetch)

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
