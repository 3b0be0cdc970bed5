"""After a commit that failed: finding out when commits work again.

Nobody may send a write for long, least of all to a server that says it is not ready.
"""

import asyncio
from collections.abc import Awaitable, Callable

from originmap.domain.errors import StoreError

_SECONDS = 1.0


class Recovery:
    """Tries `probe`, which commits something, once a second until it works."""

    def __init__(self, probe: Callable[[], Awaitable[None]]) -> None:
        self._probe = probe
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """A commit failed."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def end(self) -> None:
        """The store closes."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS)
            try:
                await self._probe()
            except StoreError:
                continue
            return
