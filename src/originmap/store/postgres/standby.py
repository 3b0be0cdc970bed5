"""Reads from a streaming standby of the database.

A read is served only if its own statement shows that the server is a standby, of the same database,
and has replayed what the read needs. Otherwise it raises NotServed, and the primary is read
instead. See docs/decisions/0020.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import asyncpg
from asyncpg.exceptions import TargetServerAttributeNotMatched

from originmap.domain.errors import StoreBusy, StoreUnusable
from originmap.domain.history.snapshot import Part
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping
from originmap.store.clock import running_clock
from originmap.store.port import ReadFrom, Standby
from originmap.store.postgres import copy as postgres_copy
from originmap.store.postgres.pool import (
    ERRORS,
    Readers,
    Servers,
    Variables,
    close,
    failure,
    noticing_loss,
)
from originmap.store.postgres.reads import Reads
from originmap.store.postgres.replay import Replay
from originmap.store.postgres.url import redacted
from originmap.store.postgres.view import KnownState

_ANSWER_SECONDS = 2.0
"""Timeout of a statement: the primary answers sooner than a standby that needs more."""
_POLL_SECONDS = 0.25
_SOON_SECONDS = 0.02  # until the next poll while commits are being replayed, or after a failure
_LONGEST_WAIT = 1.0
_SNAPSHOT_TRIES, _SNAPSHOT_PAUSE = 10, 0.005
_PRIMARY_SECONDS = 60.0
"""How long snapshots are taken from the primary after one was cut off."""
_PROOF = "s.epoch, s.revision, pg_is_in_recovery()"
_STATE = f"SELECT {_PROOF} FROM state AS s WHERE s.one"  # noqa: S608 (of constants)
_PROVEN = f"""
    SELECT {_PROOF}, r.* FROM state AS s LEFT JOIN (SELECT true, q.* FROM ({{}}) AS q) AS r
    ON true WHERE s.one"""  # noqa: S608 (of constants)
_COLUMNS = 4  # of the proof, and whether there is a row

log = logging.getLogger(__name__)

_LAGS: ContextVar[list[float] | None] = ContextVar("lags", default=None)
"""The lag of each read that a standby has served for the present request."""


class NotServed(Exception):
    """The standby cannot serve a read."""


class _NotStandby(Exception):
    def __init__(self) -> None:
        super().__init__("it is a primary, not a standby")


_FAILURES = (*ERRORS, StoreBusy, StoreUnusable, _NotStandby)


async def open_standby(
    read_from: ReadFrom, environment: Variables, primary: Servers, view: KnownState, moment: int
) -> "PostgresStandby":
    """Open a standby; `view` has everything that was committed at `moment`. Raises StoreUnusable,
    also for the primary itself."""
    servers = Servers(read_from.url, environment, standby=True)
    if servers.only_server is not None and servers.only_server == primary.only_server:
        url, hint = redacted(read_from.url), "set --read-from to a standby, or remove it"
        raise StoreUnusable(url, "it is the server of --db, not a standby", hint)
    standby = PostgresStandby(servers, read_from.max_lag, view)
    standby.looked(moment)
    await standby.open()
    return standby


class PostgresStandby(Standby):
    """A standby, its connections, and what it has replayed."""

    def __init__(self, servers: Servers, max_lag: float, view: KnownState) -> None:
        self.reads = self.fallbacks = 0
        self._replay = Replay(running_clock)
        self._servers = servers
        self._max_lag = max_lag
        self._view = view
        self._readers = Readers(servers)
        self._reads = Reads(self._rows)
        self._connection: asyncpg.Connection | None = None
        self._problem = ""
        self._reported = ""
        self._snapshots_after = 0  # by `running_clock`
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect. A standby that is away is logged, because it may come back. Raises StoreUnusable
        if only an operator can help."""
        await self._readers.open()
        try:
            self._connection = await self._servers.checked_connection()
        except (ValueError, asyncpg.InvalidAuthorizationSpecificationError) as error:
            raise self._servers.unusable(error) from error
        except ERRORS as error:
            self._problem = _reason(error)
            self._report()
        else:
            await self._try_to_poll()
        self._view.follow(self._wake.set)
        self._task = asyncio.get_running_loop().create_task(self._run())

    @property
    def serves(self) -> bool:
        return not (self._problem or self._behind())

    @property
    def revision(self) -> int:
        """The revision that it has replayed; -1 if unknown."""
        return self._replay.revision

    @property
    def lag(self) -> float:
        return self._replay.lag

    def note(self) -> Callable[[], float | None]:
        lags: list[float] = []
        _LAGS.set(lags)
        return lambda: max(lags, default=None)

    def needed(self, *zone_ids: str) -> int:
        """Return the revision that reads of these zones need."""
        return self._replay.needed(*zone_ids)

    def require(self, zone_id: str, revision: int) -> None:
        """Note that reads of a zone need `revision` from now on."""
        self._replay.require(self._view.state.epoch, zone_id, revision)

    # Reads. Each needs a revision, and raises NotServed if the standby does not have it.

    @contextlib.contextmanager
    def or_primary(self) -> Iterator[None]:
        """A block that reads from the standby and returns, or ends because it cannot."""
        try:
            yield
        except NotServed:
            self.fallbacks += 1

    async def get(self, needed: int, zone_id: str, address: Address) -> Mapping | None:
        """Return the mapping of one address."""
        self._check(needed)
        mapping = await self._reads.get(zone_id, address)
        self._served()
        return mapping

    async def rows(self, needed: int, sql: str, *arguments: object) -> list[Any]:
        """Return the rows of a read-only statement."""
        self._check(needed)
        rows = await self._rows(sql, *arguments)
        self._served()
        return rows

    def _check(self, needed: int) -> None:
        if not self.serves or needed > self._replay.revision:
            raise NotServed

    def _served(self) -> None:
        """Note a read for the present request."""
        self.reads += 1
        lags = _LAGS.get()
        if lags is not None:
            lags.append(self.lag)

    async def _rows(self, sql: str, *arguments: object) -> list[Any]:
        """Return the rows of a statement, of a state that is not older than what `_check` has
        checked before."""
        needed = self._replay.revision
        with self._failing():
            async with self._readers.pool.acquire(timeout=_ANSWER_SECONDS) as connection:
                try:
                    with noticing_loss(connection):
                        rows = await connection.fetch(
                            _PROVEN.format(sql), *arguments, timeout=_ANSWER_SECONDS
                        )
                except TimeoutError:
                    connection.terminate()  # or its return to the pool would wait for the server
                    raise
        self._prove(rows[0] if rows else None, needed)
        return [tuple(row)[_COLUMNS:] for row in rows if row[_COLUMNS - 1]]

    async def snapshot(self, needed: int, *, history: bool) -> AsyncGenerator[Part, None]:
        """Yield a snapshot. After the first part it raises StoreFailed instead of NotServed: the
        reader then repeats its request, and gets a snapshot of the primary."""
        if running_clock() < self._snapshots_after:
            raise NotServed
        self._check(0)
        async with self._snapshot_connection(needed) as connection:
            self._served()
            parts = postgres_copy.parts(connection, history=history)
            try:
                async with contextlib.aclosing(parts):
                    async for part in parts:
                        yield part
            except ERRORS as error:
                self._snapshots_after = running_clock() + int(_PRIMARY_SECONDS * 1e6)
                raise failure(error) from error

    @contextlib.asynccontextmanager
    async def _snapshot_connection(self, needed: int) -> AsyncIterator[asyncpg.Connection]:
        """A connection in a transaction that sees the revision `needed`."""
        with self._failing():
            connection = await self._servers.connect()
        try:
            with self._failing():
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await self._begin_snapshot(connection, needed)
            yield connection
        finally:
            await close(connection)

    async def _begin_snapshot(self, connection: asyncpg.Connection, needed: int) -> None:
        """Begin, again and again for a moment: the revision is probably being replayed."""
        for left in reversed(range(_SNAPSHOT_TRIES)):
            transaction = connection.transaction(isolation="repeatable_read", readonly=True)
            await transaction.start()
            try:
                self._prove(await connection.fetchrow(_STATE), needed)
            except NotServed:
                if not left:
                    raise
                await transaction.rollback()
                await asyncio.sleep(_SNAPSHOT_PAUSE)
            else:
                return

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        """Raise NotServed for the errors of the standby."""
        try:
            yield
        except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as error:
            log.warning("the standby cancelled a read: %s", failure(error))
            raise NotServed from error
        except _FAILURES as error:
            self._problem = _reason(error)  # until the next poll
            self._wake.set()
            raise NotServed from error

    def _prove(self, row: Any, needed: int) -> None:
        """Raises NotServed unless a row is of a standby that has the revision `needed`."""
        epoch, revision, is_standby = row[: _COLUMNS - 1] if row else ("", 0, False)
        if not is_standby or epoch != self._view.state.epoch or revision < needed:
            raise NotServed
        self._replay.reached(epoch, revision)

    # Polling

    def looked(self, moment: int) -> None:
        """Note that the view has everything that was committed at `moment`, by `running_clock`."""
        self._replay.primary_had(moment, self._view.state.epoch, self._view.state.revision)

    async def close(self) -> None:
        """Close all connections."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._drop()
        await self._readers.close()

    async def _run(self) -> None:
        wait = _SOON_SECONDS
        while True:
            before = self.revision
            await self._try_to_poll()
            if not self._problem and self.revision >= self._view.state.revision:
                wait = _SOON_SECONDS
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_SECONDS):
                        await self._wake.wait()
                continue
            if self.revision > before:
                wait = _SOON_SECONDS
            await asyncio.sleep(min(wait, _LONGEST_WAIT if self._problem else _POLL_SECONDS))
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _try_to_poll(self) -> None:
        try:
            await self._poll()
            self._problem = ""
        except _FAILURES as error:
            self._problem = _reason(error)
            self._drop()
            await self._readers.renew()
        except Exception:  # reads must go to the primary after any bug
            log.exception("internal error while polling the standby")
            self._problem = "internal error"
            self._drop()
        self._report()

    async def _poll(self) -> None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._servers.checked_connection()
        row = await self._connection.fetchrow(_STATE, timeout=_ANSWER_SECONDS)
        if row is None or not row[2]:
            raise _NotStandby
        self._replay.reached(*row[:2])

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def _behind(self) -> str:
        if self.lag <= self._max_lag:
            return ""
        if not self._replay.known:
            return "it does not have this database"
        return f"its lag is more than {self._max_lag:g} s"

    def _report(self) -> None:
        """Log once that the standby no longer serves reads, and once that it does again."""
        problem = self._problem or self._behind()
        if problem and not self._reported:
            log.warning("the primary serves all reads instead of the standby: %s", problem)
        elif self._reported and not problem:
            log.warning("the standby serves reads again")
        self._reported = problem


def _reason(error: BaseException) -> str:
    if isinstance(error, TargetServerAttributeNotMatched):
        return str(_NotStandby())
    if isinstance(error, StoreBusy | StoreUnusable | _NotStandby):
        return str(error)
    return str(failure(error)).partition("\n")[0]
