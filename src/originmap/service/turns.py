"""Long work in pieces, so that other requests are served in between.

There is one event loop. Work whose size the caller controls is done in pieces of a few
milliseconds, and each piece waits for its turn. Only one piece of all callers together runs per
pass of the event loop, so ten callers with long work wait for each other and do not delay the other
requests by ten pieces.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

PIECE = 250
"""Items per piece: changes, mappings and the like, which take a few microseconds each."""


class Turns:
    """Gives turns in the order of requests."""

    def __init__(self) -> None:
        self._lock, self._thread = asyncio.Lock(), asyncio.Lock()
        self.given = 0
        """The number of turns given."""

    async def next(self) -> None:
        """Wait for a turn. The caller then does one piece of work at once."""
        async with self._lock:
            self.given += 1
            await asyncio.sleep(0)

    async def on_thread(self, work: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Run work that cannot be divided on a thread, after that of other callers: the event loop
        waits for each thread that runs, a few milliseconds at a time."""
        async with self._thread:
            return await asyncio.to_thread(work, *arguments)

    async def pieces(self, items: Sequence[T], size: int = PIECE) -> AsyncIterator[Sequence[T]]:
        """Yield `items` in pieces, each in its own turn."""
        for start in range(0, len(items), size):
            await self.next()
            yield items[start : start + size]

    async def spread(
        self, items: AsyncIterator[T], size: Callable[[T], int]
    ) -> AsyncGenerator[T, None]:
        """Yield `items` as they arrive, and take a turn for every PIECE items, as counted by
        `size`."""
        waiting = 0
        async for item in items:
            waiting += size(item)
            if waiting >= PIECE:
                await self.next()
                waiting = 0
            yield item
