"""Retention of history: changes are kept up to an age and up to a number, whichever is less.

A clock may be wrong by years, and trimmed changes cannot be restored. So the age is measured by a
monotonic clock: from the newest change that existed at the start, plus the time that this process
has been running. If the times of two neighbouring changes differ by more than the age, the clock
may have been wrong too: changes before that gap are treated as if they had happened right before
the start.
"""

import asyncio
import logging
from collections.abc import Callable

from originmap.domain.errors import StoreError
from originmap.store.clock import Now, running_clock
from originmap.store.port import Store

_LOG = logging.getLogger(__name__)
_PORTION = 2_000
"""Changes trimmed in one transaction; writes wait for it."""
_EVERY_SECONDS = 60.0
_MICROSECONDS_A_DAY = 86_400_000_000

Floor = Callable[[], int | None]


class Retention:
    """Trims the oldest changes."""

    def __init__(
        self,
        store: Store,
        days: float,
        changes: int,
        now: Now,
        floor: Floor = lambda: None,
        elapsed: Now = running_clock,
    ) -> None:
        """Changes after the revision that `floor` returns are kept regardless of the limits. `now`
        is in microseconds since 1970 UTC; `elapsed` is monotonic."""
        self._store = store
        self._floor = floor
        self._age = int(days * _MICROSECONDS_A_DAY)
        self._changes = changes
        self._now = now
        self._elapsed = elapsed
        self._began = elapsed()
        self._start: int | None = None

    async def run(self) -> None:
        """Trim at intervals, until cancelled."""
        while True:
            try:
                await self.forget()
            except StoreError as error:
                _LOG.error("history", extra={"data": {"why": str(error)}})
            await asyncio.sleep(_EVERY_SECONDS)

    async def forget(self) -> int:
        """Trim what exceeds the limits and return the number of changes."""
        up_to = max(self._store.revision - self._changes, await self._last_before())
        floor = self._floor()
        up_to = up_to if floor is None else min(up_to, floor)
        dropped = 0
        while trimmed := await self._store.forget(up_to, _PORTION):
            dropped += trimmed
            await asyncio.sleep(0)
        return dropped

    async def _last_before(self) -> int:
        """Return the last revision that is too old."""
        ran = self._elapsed() - self._began
        if self._start is None:
            self._start = await self._time(self._store.revision) or self._now()
        moment = min(self._now(), self._start + ran)
        while True:
            last = await self._last_until(moment - self._age)
            at, following = await self._time(last), await self._time(last + 1)
            if at is None or following is None or following - at <= self._age or ran >= self._age:
                return last
            moment = at + ran

    async def _last_until(self, before: int) -> int:
        """Return the last revision before a time, by binary search: times grow with revisions."""
        low, high = self._store.oldest, self._store.revision
        while low < high:
            middle = (low + high + 1) // 2
            at = await self._time(middle)
            if at is not None and at < before:
                low = middle
            else:
                high = middle - 1
        return low

    async def _time(self, revision: int) -> int | None:
        """Return the time of a change, None if the history does not have it."""
        changes = await self._store.changes(revision - 1, 1)
        return changes[0].at if changes and changes[0].revision == revision else None
