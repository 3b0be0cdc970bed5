"""Connections to a PostgreSQL server: opening, reconnecting, and their errors.

Owns the setup of a connection. If a URL has several servers, they are tried in order; with
`target_session_attrs=read-write` only the one that accepts writes is used.
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

CONNECT_SECONDS = 2.0  # timeout per server, unless connect_timeout is set
PATIENCE_SECONDS = 5.0
"""Timeout of a read for a connection if the server has reached its limit of connections."""
_AGAIN_SECONDS = 0.25  # between two attempts to connect to such a server
COMMAND_SECONDS = 15.0
_MOST_READERS = 8

ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, InternalClientError, OSError)
"""The exceptions of asyncpg if a database rejects a request, fails, or cannot be reached."""

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
    # Limits how long a node that hangs in the middle of a commit blocks the other nodes.
    "idle_in_transaction_session_timeout": "15s",
    # Every statement is designed for an index. Otherwise a plan made while a table was empty would
    # scan all of it until statistics are renewed.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}

_READ_ONLY = "default_transaction_read_only"

Variables = Mapping[str, str]
NO_VARIABLES: Variables = MappingProxyType({})


def may_repeat(error: BaseException) -> bool:
    """Report whether a transaction that failed before its commit may succeed on a retry."""
    return isinstance(error, _LOST + _TRANSIENT) and not isinstance(error, TimeoutError)


def was_undone(error: BaseException) -> bool:
    """Report whether the server confirmed a rollback. After any other failure of a commit, the
    outcome is unknown."""
    return isinstance(error, (*_TRANSIENT, asyncpg.ReadOnlySQLTransactionError))


def failure(error: BaseException) -> StoreFailed:
    """Convert an exception to the store's error."""
    if isinstance(error, TimeoutError):
        return StoreFailed("timeout: the database did not respond")
    if isinstance(error, ConnectionRefusedError):
        return StoreFailed("connection refused")
    if isinstance(error, TargetServerAttributeNotMatched):
        return StoreFailed("no server in the URL matches target_session_attrs")
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
    """Raise InterfaceError if the connection is lost in the middle of a statement: between
    preparing and executing it, asyncpg raises AttributeError instead."""
    try:
        yield
    except AttributeError as error:
        if not connection.is_closed():
            raise
        raise asyncpg.InterfaceError("the connection was closed during a statement") from error


class Servers:
    """The servers of a URL, and connections to the first usable one."""

    def __init__(
        self, url: str, environment: Variables = NO_VARIABLES, *, standby: bool = False
    ) -> None:
        """Only libpq's variables are used from `environment`. With `standby`, only standbys are
        used, and sessions are read-only. Raises StoreUnusable."""
        if standby:
            environment = {k: v for k, v in environment.items() if k != "PGTARGETSESSIONATTRS"}
        given = parameters_of(url, read_url(url), environment)
        self._given = given.of_standby() if standby else given
        self._arguments = driver_arguments(self._given)
        self._servers = list(self._given.servers)
        self._setup = _setup(self._given, {_READ_ONLY: "on"} if standby else {})

    @property
    def only_server(self) -> tuple[str | None, int] | None:
        """The host and port, if there is only one."""
        return self._given.servers[0] if len(self._given.servers) == 1 else None

    async def connect(self, *_: object, **__: object) -> asyncpg.Connection:
        """Open a connection; the server that was used last is tried first. Raises one of ERRORS."""
        connection = await self._connect()
        try:
            await connection.execute(self._setup)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def patient_connection(self) -> asyncpg.Connection:
        """Open a connection; while the server has none left, retry for PATIENCE_SECONDS, then raise
        StoreBusy. Raises one of ERRORS."""
        return await patiently(self.connect)

    async def first_connection(self) -> asyncpg.Connection:
        """Open the first connection of the process. Raises StoreUnusable with a hint."""
        try:
            return await self.checked_connection()
        except (ValueError, *ERRORS) as error:
            raise self.unusable(error) from error

    async def checked_connection(self) -> asyncpg.Connection:
        """Open a connection and check that it keeps its session. Raises StoreUnusable if it does
        not, ValueError if the driver rejects the URL, and one of ERRORS."""
        connection = await self._connect()
        try:
            await check_session(connection, self._connect, self._given.redacted_url)
            await connection.execute(self._setup)
        except BaseException:
            connection.terminate()
            raise
        return connection

    def unusable(self, error: BaseException) -> StoreUnusable:
        """Return the error for a failed first connection, with a hint."""
        if isinstance(error, ValueError):
            # The text of the error may quote a part of the URL.
            reason = "the URL cannot be read"
            hint = "write postgresql://user@host:5432/name, with special characters encoded by %"
        else:
            # Later lines are hints for psql.
            reason, hint = str(failure(error)).partition("\n")[0], _hint(error)
        return StoreUnusable(self._given.redacted_url, reason, hint)

    async def _connect(self) -> asyncpg.Connection:
        """Try each server with its own timeout. The timeout of asyncpg covers all servers together:
        one that hangs would use it up."""
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


def _setup(given: Parameters, more: Mapping[str, str]) -> str:
    """Return the statement that sets up a session. A pooler such as PgBouncer does not accept
    settings in the first message of a connection."""
    default = given.value("fallback_application_name", "originmap")
    name = given.value("application_name", default)
    settings = {**(given.settings or {}), "application_name": name, **_SETTINGS, **more}
    if given.value("search_path"):
        settings["search_path"] = given.value("search_path")
    quoted = {name: value.replace("'", "''") for name, value in settings.items()}
    calls = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in quoted.items())
    return f"SELECT {calls}"


_TCP = {socket.AF_INET, socket.AF_INET6}
_IDLE_ON_MACOS = 0x10  # TCP_KEEPALIVE in its tcp(4)
_KEEPALIVES = {
    "keepalives_idle": getattr(socket, "TCP_KEEPIDLE", _IDLE_ON_MACOS),
    "keepalives_interval": socket.TCP_KEEPINTVL,
    "keepalives_count": socket.TCP_KEEPCNT,
}


def _keep_alive(connection: asyncpg.Connection, given: Parameters) -> None:
    """Enable TCP keepalives, as libpq does unless keepalives=0."""
    sock = connection._transport.get_extra_info("socket")  # asyncpg has no public access to it
    if sock is None or sock.family not in _TCP or given.value("keepalives") == "0":
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, option in _KEEPALIVES.items():
        if given.value(name):
            sock.setsockopt(socket.IPPROTO_TCP, option, given.number(name, 0))


async def patiently(act: Callable[[], Awaitable[T]]) -> T:
    """Call `act` and return its result; while the server has no connection left, retry for
    PATIENCE_SECONDS, then raise StoreBusy."""
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
        return "check user and password, and the server's pg_hba.conf"
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return "create the database with createdb"
    if isinstance(error, asyncpg.TooManyConnectionsError):
        return "raise the server's max_connections; each process uses 10 or more"
    if isinstance(error, asyncpg.ProtocolViolationError):
        return "check the log of the pooler in front of the server"
    if isinstance(error, TargetServerAttributeNotMatched):
        return "list all servers in the URL; Originmap needs one that accepts writes"
    if isinstance(error, ssl.SSLError):
        return "check sslmode, sslrootcert and the server's certificate"
    if type(error) is ConnectionError:
        return "check sslmode, and whether TLS is enabled on the server"
    if isinstance(error, socket.gaierror):
        return "check the host in the URL; in a password @ is %40, / is %2F, # is %23"
    if isinstance(error, asyncpg.PostgresError):  # so the server is running
        return "check options in the URL or PGOPTIONS, as -c NAME=VALUE, and the server's log"
    return "check that the server is running and can be reached from this machine"


class Line:
    """One connection, reopened after it was lost."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._connection: asyncpg.Connection | None = None

    async def get(self) -> asyncpg.Connection:
        """Return the connection, reopened if needed. Raises one of ERRORS, and StoreBusy."""
        if self._connection is None or self._connection.is_closed():
            self.drop()
            self._connection = await self._servers.patient_connection()
        return self._connection

    def drop(self) -> None:
        """Drop the connection, whatever its state."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await close(connection)


class Readers:
    """The pool of connections for reads. asyncpg prepares each statement once per connection."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._full: asyncpg.TooManyConnectionsError | None = None
        self._full_until = 0
        self.pool = asyncpg.create_pool(
            min_size=0, max_size=_MOST_READERS, connect=self._connect, reset=_keep_session
        )

    async def _connect(self, *_: object, **__: object) -> asyncpg.Connection:
        """Open a connection, unless the server has just reported that it has none left."""
        if self._full is not None and monotonic_clock() < self._full_until:
            raise self._full.with_traceback(None)
        try:
            return await self._servers.connect()
        except asyncpg.TooManyConnectionsError as error:
            self._full = error
            self._full_until = monotonic_clock() + int(_AGAIN_SECONDS * 1_000_000)
            raise

    async def open(self) -> None:
        """Open the pool; connections are opened on demand."""
        await self.pool

    async def rows(self, sql: str, *arguments: Any) -> list[Any]:
        """Return the rows of a read-only statement. Raises StoreFailed, and StoreBusy if no
        connection is available: the server has none left, and those of the pool are in use."""

        async def fetch() -> list[object]:
            async with self.pool.acquire() as connection:
                with noticing_loss(connection):
                    rows: list[object] = await connection.fetch(sql, *arguments)
                    return rows

        with failing():
            try:
                return await patiently(fetch)
            except ERRORS as error:
                if not may_repeat(error):
                    raise
                # The server was restarted, or another one has taken over, since the last read.
                return await patiently(fetch)

    async def renew(self) -> None:
        """Stop using all current connections."""
        await self.pool.expire_connections()

    async def close(self) -> None:
        """Close the pool; wait for reads in progress, up to a timeout."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self.pool.close()
        except ERRORS:
            self.pool.terminate()


async def _keep_session(connection: asyncpg.Connection) -> None:
    """Reset a connection that returns to the pool: do nothing, to save a round trip. asyncpg has
    ended any open transaction, and reads leave no other state."""


async def close(connection: asyncpg.Connection) -> None:
    """Close a connection, with a timeout."""
    try:
        await connection.close(timeout=CONNECT_SECONDS)
    except ERRORS:
        connection.terminate()
