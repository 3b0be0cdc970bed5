"""How much history is kept: changes up to an age and up to a number, whichever is less."""

import asyncio
import logging
from collections.abc import Callable

from originmap.domain.errors import StoreError
from originmap.store.clock import Now
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
        self, store: Store, days: float, changes: int, now: Now, floor: Floor = lambda: None
    ) -> None:
        """What came after the revision that `floor` tells is kept, whatever the limits."""
        self._store = store
        self._floor = floor
        self._age = int(days * _MICROSECONDS_A_DAY)
        self._changes = changes
        self._now = now

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
        """The last revision that is too old, by halving: times go up with revisions."""
        before = self._now() - self._age
        low, high = self._store.oldest, self._store.revision
        while low < high:
            middle = (low + high + 1) // 2
            found = await self._store.changes(middle - 1, 1)
            if found and found[0].at < before:
                low = middle
            else:
                high = middle - 1
        return low
