"""Recovery after a failed commit: probes until commits succeed again.

Client writes cannot serve as probes: load balancers send none to a server that is not ready.
"""

import asyncio
from collections.abc import Awaitable, Callable

from originmap.domain.errors import StoreError

_SECONDS = 1.0


class Recovery:
    """Runs `probe`, which commits something, once a second until it succeeds."""

    def __init__(self, probe: Callable[[], Awaitable[None]]) -> None:
        self._probe = probe
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start probing after a failed commit."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def end(self) -> None:
        """Stop probing, as the store closes."""
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
