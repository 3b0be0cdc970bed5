"""How slowly a client may take a file that is sent to it.

A file keeps a snapshot of the database open until it is sent, and only so many can be open. Time in
which the client takes nothing is counted against an allowance, which bytes that it takes restore.
"""

import asyncio
from collections.abc import Awaitable, Callable

from originmap.api.http.limits import Limits


class Patience:
    """With one client, for one file."""

    def __init__(self, limits: Limits, cut: Callable[[], None]) -> None:
        """`cut` ends the connection."""
        self._most = self._left = limits.stalled_seconds
        self._speed = limits.least_speed
        self._cut = cut

    def sent(self, size: int) -> None:
        """Take note that the client has taken `size` bytes at once."""
        self._left = min(self._left + size / self._speed, self._most)

    async def wait(self, drained: Awaitable[None], size: int) -> None:
        """Wait until the client has taken `size` bytes, and cut it off if that takes too long."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        timer = loop.call_later(self._left, self._cut)
        try:
            await drained
        finally:
            timer.cancel()
        left = self._left - (loop.time() - began) + size / self._speed
        self._left = max(min(left, self._most), 0)
