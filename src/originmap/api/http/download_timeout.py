"""Disconnects clients that download a file too slowly.

A file keeps a snapshot of the database open until it is sent, and the number of open snapshots is
limited. Time in which the client reads nothing reduces an allowance; bytes read restore it.
"""

import asyncio
from collections.abc import Awaitable, Callable

from originmap.api.http.limits import Limits


class DownloadTimeout:
    """The allowance of one client for one file."""

    def __init__(self, limits: Limits, cut: Callable[[], None]) -> None:
        """`cut` disconnects the client."""
        self._most = self._left = limits.stalled_seconds
        self._speed = limits.least_speed
        self._cut = cut

    def sent(self, size: int) -> None:
        """Record that the client has read `size` bytes without delay."""
        self._left = min(self._left + size / self._speed, self._most)

    async def wait(self, drained: Awaitable[None], size: int) -> None:
        """Wait until the client has read `size` bytes; disconnect it if that takes too long."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        timer = loop.call_later(self._left, self._cut)
        try:
            await drained
        finally:
            timer.cancel()
        left = self._left - (loop.time() - began) + size / self._speed
        self._left = max(min(left, self._most), 0)
