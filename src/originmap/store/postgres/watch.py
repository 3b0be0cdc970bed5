"""Notifications between nodes about commits.

The data is always read from the database by revision. A NOTIFY only triggers a read, because it can
be lost; without one, the node polls four times a second. Polling also detects that the database is
down or back.

A node that serves clients holds a shared advisory lock in its session, so the locks list the
existing nodes. On a request to confirm a revision, each node reports its revision after its next
read.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

import asyncpg

from originmap.domain.errors import StoreBusy, StoreError
from originmap.store.postgres.pool import ERRORS, Line, failure
from originmap.store.postgres.schema import NODES

POLL_SECONDS = 0.25
_ANSWER_SECONDS = 2.0  # timeout of the server
_GATHER_SECONDS = 0.005  # between two notifications, each for many commits
_CHANNEL = "originmap"
_CONFIRMED = "originmap_confirmed"
_CONFIRM = "confirm"  # the payload that requests a confirmation
_REPEAT_SECONDS = 0.25  # between two requests for a confirmation
PATIENCE_SECONDS = 2.0
"""How long a change of a record waits for nodes that do not confirm it."""
LIVE = f"""
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid, objid, objsubid) = ({NODES >> 32}, {NODES & 0xFFFFFFFF}, 1)"""  # noqa: S608
"""The existing nodes, as process IDs of the sessions in which they listen."""
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0

log = logging.getLogger(__name__)

Look = Callable[[asyncpg.Connection], Awaitable[int]]
"""Reads what is committed and returns the new revision."""
Nodes = Callable[[], Awaitable[set[int]]]
"""Returns the sessions of `LIVE`. Raises StoreError."""


class Watch:
    """Calls `look` when there may be new commits, and `lost` when the connection to the database is
    lost."""

    def __init__(
        self, line: Line, look: Look, lost: Callable[[], Awaitable[None]], *, serves: bool
    ) -> None:
        """With `serves`, other nodes wait for this one."""
        self._serves = serves
        self._line = line
        self._look = look
        self._lost = lost
        self._wake = asyncio.Event()
        self._news = self._notified = False
        self._requesting = self._requested = (
            False  # a confirmation is requested by, or from, this node
        )
        self._look_at = 0.0
        self._pid = 0
        self._confirmed: dict[int, int] = {}  # the confirmed revision, by session
        self._any_confirmed = asyncio.Event()
        self._listening = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run())

    def tell(self) -> None:
        """Notify other nodes of a commit, soon."""
        self._news = True
        self._wake.set()

    async def listening(self) -> None:
        """Wait until this node receives commits, up to the timeout of the server."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._listening.wait()

    async def confirmed(self, revision: int, nodes: Nodes) -> None:
        """Wait until each listening node has read everything up to `revision`. A node that does not
        confirm in time is logged, and not waited for."""
        late: set[int] = set()
        self._confirmed.clear()  # it may be of a database that has been replaced
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while late := await self._late(revision, nodes):
                    self._any_confirmed.clear()
                    self._requesting = True
                    self._wake.set()
                    await self._wait_for(revision, late)
        except TimeoutError:
            sessions = ", ".join(map(str, sorted(late))) or "unknown"
            log.warning(
                "revision %s was not confirmed in time by the nodes of sessions %s",
                *(revision, sessions),
            )

    async def _late(self, revision: int, nodes: Nodes) -> set[int]:
        while True:
            try:
                live = await nodes() - {self._pid}
            except StoreError:
                await asyncio.sleep(_REPEAT_SECONDS)
                continue
            return {pid for pid in live if self._confirmed.get(pid, -1) < revision}

    async def _wait_for(self, revision: int, late: set[int]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REPEAT_SECONDS):
                while any(self._confirmed.get(pid, -1) < revision for pid in late):
                    self._any_confirmed.clear()
                    await self._any_confirmed.wait()

    async def close(self) -> None:
        """Stop watching."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._line.close()

    async def _run(self) -> None:
        wait = _FIRST_WAIT
        while True:
            try:
                connection = await self._line.get()
                await self._listen(connection)
                wait = _FIRST_WAIT
                while True:
                    await self._once(connection)
            except StoreBusy:  # no connection is free; existing ones still work
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
                continue
            except ERRORS as error:
                if wait == _FIRST_WAIT:
                    log.warning("lost the connection to the database: %s", failure(error))
            except Exception:  # this node must keep receiving commits after any bug
                log.exception("internal error while reading commits of other nodes")
            self._line.drop()
            await self._lost()
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _listen(self, connection: asyncpg.Connection) -> None:
        """Become a listening node. The lock is taken first and the read comes last: a writer that
        does not see the lock has committed before it, so the read sees that commit."""
        async with asyncio.timeout(_ANSWER_SECONDS):
            self._pid = await connection.fetchval("SELECT pg_backend_pid()")
            if self._serves:
                await connection.execute(f"SELECT pg_advisory_lock_shared({NODES})")
            await connection.add_listener(_CHANNEL, self._on_notify)
            await connection.add_listener(_CONFIRMED, self._on_confirmed)
        self._look_at, self._requested = 0.0, True

    async def _once(self, connection: asyncpg.Connection) -> None:
        now = asyncio.get_running_loop().time
        notify, requesting = self._news or self._requesting, self._requesting
        self._news = self._requesting = False
        async with asyncio.timeout(_ANSWER_SECONDS):
            if notify:
                await connection.execute(f"NOTIFY {_CHANNEL}, '{_CONFIRM if requesting else ''}'")
            if self._notified or now() >= self._look_at:
                requested, self._requested = self._requested, False
                self._notified, self._look_at = False, now() + POLL_SECONDS
                revision = await self._look(connection)
                self._listening.set()
                if requested:
                    await connection.execute(f"NOTIFY {_CONFIRMED}, '{revision}'")
        if notify and not requesting:
            await asyncio.sleep(_GATHER_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._wake.wait()
        self._wake.clear()

    def _on_notify(
        self, connection: asyncpg.Connection, pid: int, channel: str, payload: object
    ) -> None:
        # The connection may be closed by now, so it is not used.
        if pid != self._pid:
            self._notified = True
            self._requested |= payload == _CONFIRM
            self._wake.set()

    def _on_confirmed(
        self, connection: asyncpg.Connection, pid: int, channel: str, payload: str
    ) -> None:
        self._confirmed[pid] = max(int(payload), self._confirmed.get(pid, -1))
        self._any_confirmed.set()
