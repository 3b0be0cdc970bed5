"""How much history is kept: changes up to an age and up to a number, whichever is less.

A clock may be wrong by years, and what is forgotten is gone. So ages count by time that nobody can
set: from the newest change that was there at the start, as long as this process runs since. And
where the times of two neighbouring changes are further apart than the age, that may have been a
clock too: what is before counts as if it had happened right before the start.
"""

import asyncio
import logging
from collections.abc import Callable

from originmap.domain.errors import StoreError
from originmap.store.clock import Now, running_clock
from originmap.store.port import Store

_LOG = logging.getLogger(__name__)
_PORTION = 2_000
"""Changes forgotten in one transaction: writes wait for it."""
_EVERY_SECONDS = 60.0
_MICROSECONDS_A_DAY = 86_400_000_000

Floor = Callable[[], int | None]


class Retention:
    """Forgets the oldest changes."""

    def __init__(
        self,
        store: Store,
        days: float,
        changes: int,
        now: Now,
        floor: Floor = lambda: None,
        elapsed: Now = running_clock,
    ) -> None:
        """What came after the revision that `floor` tells is kept, whatever the limits. `now` in
        microseconds since 1970 UTC; `elapsed` only goes forward."""
        self._store = store
        self._floor = floor
        self._age = int(days * _MICROSECONDS_A_DAY)
        self._changes = changes
        self._now = now
        self._elapsed = elapsed
        self._began = elapsed()
        self._start: int | None = None

    async def run(self) -> None:
        """Forget from time to time, until cancelled."""
        while True:
            try:
                await self.forget()
            except StoreError as error:
                _LOG.error("history", extra={"data": {"why": str(error)}})
            await asyncio.sleep(_EVERY_SECONDS)

    async def forget(self) -> int:
        """Forget what is beyond the limits; how many changes that were."""
        up_to = max(self._store.revision - self._changes, await self._last_before())
        floor = self._floor()
        up_to = up_to if floor is None else min(up_to, floor)
        dropped = 0
        while gone := await self._store.forget(up_to, _PORTION):
            dropped += gone
            await asyncio.sleep(0)
        return dropped

    async def _last_before(self) -> int:
        """The last revision that is too old."""
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
        """The last revision from before a time, by halving: times go up with revisions."""
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
        """When a change was made, None where the history has it no more, or not yet."""
        found = await self._store.changes(revision - 1, 1)
        return found[0].at if found and found[0].revision == revision else None
