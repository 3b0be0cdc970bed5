"""Hearing of the commits of other nodes, and telling them of ours.

What is true is in the database and read from there by revision. A NOTIFY only says that it is
time to look, because it can be lost; without one this looks twice a second. It also finds out
when the database is gone and when it is back.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

import asyncpg

from originmap.store.postgres_pool import ERRORS, Line, failure

POLL_SECONDS = 0.25
_ANSWER_SECONDS = 2.0  # after this the server counts as gone
_GATHER_SECONDS = 0.005  # between two notifications, which many commits may share
_CHANNEL = "originmap"
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0

log = logging.getLogger(__name__)

Look = Callable[[asyncpg.Connection], Awaitable[None]]


class Watch:
    """Calls `look` whenever there may be something new, and `lost` when the database is gone."""

    def __init__(self, line: Line, look: Look, lost: Callable[[], Awaitable[None]]) -> None:
        self._line = line
        self._look = look
        self._lost = lost
        self._wake = asyncio.Event()
        self._news = self._called = False
        self._look_at = 0.0
        self._task = asyncio.get_running_loop().create_task(self._run())

    def tell(self) -> None:
        """Let other nodes know of a commit, soon."""
        self._news = True
        self._wake.set()

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
                await connection.add_listener(_CHANNEL, self._heard)
                wait, self._look_at = _FIRST_WAIT, 0.0
                while True:
                    await self._once(connection)
            except ERRORS as error:
                if wait == _FIRST_WAIT:
                    log.warning("the database is gone: %s", failure(error))
            except Exception:  # whatever it is, this node must go on hearing of the others
                log.exception("a defect while looking for commits of other nodes")
            self._line.drop()
            await self._lost()
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _once(self, connection: asyncpg.Connection) -> None:
        now = asyncio.get_running_loop().time
        told, self._news = self._news, False
        async with asyncio.timeout(_ANSWER_SECONDS):
            if told:
                await connection.execute(f"NOTIFY {_CHANNEL}")
            if self._called or now() >= self._look_at:
                self._called, self._look_at = False, now() + POLL_SECONDS
                await self._look(connection)
        if told:
            await asyncio.sleep(_GATHER_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._wake.wait()
        self._wake.clear()

    def _heard(
        self, connection: asyncpg.Connection, pid: int, channel: str, payload: object
    ) -> None:
        if pid != connection.get_server_pid():
            self._called = True
            self._wake.set()
