"""Hearing of the commits of other nodes, and telling them of ours.

What is true is in the database and read from there by revision. A NOTIFY only says that it is
time to look, because it can be lost; without one this looks four times a second. It also finds
out when the database is gone and when it is back.

A node that serves others holds a shared advisory lock in its session, so the locks tell which nodes
there are. Asked to confirm a revision, each says how far it is once it has looked.
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
_ANSWER_SECONDS = 2.0  # after this the server counts as gone
_GATHER_SECONDS = 0.005  # between two notifications, which many commits may share
_CHANNEL = "originmap"
_CONFIRMED = "originmap_confirmed"
_CONFIRM = "confirm"  # the payload that asks for it
_REPEAT_SECONDS = 0.25  # between two times that a confirmation is asked for
PATIENCE_SECONDS = 2.0
"""How long a change of a record waits for nodes that do not confirm it."""
LIVE = f"""
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid, objid, objsubid) = ({NODES >> 32}, {NODES & 0xFFFFFFFF}, 1)"""  # noqa: S608
"""The nodes there are, by the process ids of the sessions in which they listen."""
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0

log = logging.getLogger(__name__)

Look = Callable[[asyncpg.Connection], Awaitable[int]]
"""Takes over what is committed; the revision that is reached."""
Nodes = Callable[[], Awaitable[set[int]]]
"""The sessions of `LIVE`. Raises StoreError."""


class Watch:
    """Calls `look` whenever there may be something new, and `lost` when the database is gone."""

    def __init__(
        self, line: Line, look: Look, lost: Callable[[], Awaitable[None]], *, serves: bool
    ) -> None:
        """With `serves` this is a node that others wait for."""
        self._serves = serves
        self._line = line
        self._look = look
        self._lost = lost
        self._wake = asyncio.Event()
        self._news = self._called = False
        self._asks = self._asked = False  # others for a confirmation; they ask this node
        self._look_at = 0.0
        self._pid = 0
        self._confirmed: dict[int, int] = {}  # by session, the revision that its node reached
        self._heard_of = asyncio.Event()
        self._listening = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run())

    def tell(self) -> None:
        """Let other nodes know of a commit, soon."""
        self._news = True
        self._wake.set()

    async def listening(self) -> None:
        """Wait until this node hears of commits, but not for a server that is gone."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._listening.wait()

    async def confirmed(self, revision: int, nodes: Nodes) -> None:
        """Wait until each node that listens has taken over what was committed up to `revision`.
        A node that does not say so in time is waited for no longer, and logged."""
        late: set[int] = set()
        self._confirmed.clear()  # it may be of a database that was replaced meanwhile
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while late := await self._late(revision, nodes):
                    self._heard_of.clear()
                    self._asks = True
                    self._wake.set()
                    await self._hear(revision, late)
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

    async def _hear(self, revision: int, late: set[int]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REPEAT_SECONDS):
                while any(self._confirmed.get(pid, -1) < revision for pid in late):
                    self._heard_of.clear()
                    await self._heard_of.wait()

    async def close(self) -> None:
        """Stop."""
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
            except StoreBusy:  # no connection is free; those that there are go on
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
                continue
            except ERRORS as error:
                if wait == _FIRST_WAIT:
                    log.warning("the database is gone: %s", failure(error))
            except Exception:  # whatever it is, this node must go on hearing of the others
                log.exception("a defect while looking for commits of other nodes")
            self._line.drop()
            await self._lost()
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _listen(self, connection: asyncpg.Connection) -> None:
        """Be one of the nodes. The lock comes first and the look last: whoever does not see the
        lock committed before it, and so is seen by the look."""
        async with asyncio.timeout(_ANSWER_SECONDS):
            self._pid = await connection.fetchval("SELECT pg_backend_pid()")
            if self._serves:
                await connection.execute(f"SELECT pg_advisory_lock_shared({NODES})")
            await connection.add_listener(_CHANNEL, self._heard)
            await connection.add_listener(_CONFIRMED, self._heard_confirmation)
        self._look_at, self._asked = 0.0, True

    async def _once(self, connection: asyncpg.Connection) -> None:
        now = asyncio.get_running_loop().time
        told, asks = self._news or self._asks, self._asks
        self._news = self._asks = False
        async with asyncio.timeout(_ANSWER_SECONDS):
            if told:
                await connection.execute(f"NOTIFY {_CHANNEL}, '{_CONFIRM if asks else ''}'")
            if self._called or now() >= self._look_at:
                asked, self._asked = self._asked, False
                self._called, self._look_at = False, now() + POLL_SECONDS
                revision = await self._look(connection)
                self._listening.set()
                if asked:
                    await connection.execute(f"NOTIFY {_CONFIRMED}, '{revision}'")
        if told and not asks:
            await asyncio.sleep(_GATHER_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._wake.wait()
        self._wake.clear()

    def _heard(
        self, connection: asyncpg.Connection, pid: int, channel: str, payload: object
    ) -> None:
        # The connection may be gone by now: nothing is asked of it.
        if pid != self._pid:
            self._called = True
            self._asked |= payload == _CONFIRM
            self._wake.set()

    def _heard_confirmation(
        self, connection: asyncpg.Connection, pid: int, channel: str, payload: str
    ) -> None:
        self._confirmed[pid] = max(int(payload), self._confirmed.get(pid, -1))
        self._heard_of.set()
