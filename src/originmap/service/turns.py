"""Long work in pieces, so that other requests are answered in between.

There is one event loop. Work whose size a caller chooses is done in pieces of a few milliseconds,
and before each piece its turn is awaited. One piece runs between two looks at the sockets, whoever
it is for: ten callers wait for each other, and not everybody for ten pieces at once.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

PIECE = 250
"""Items of a piece: changes, mappings and the like, which take some microseconds each."""


class Turns:
    """Gives turns in the order in which they are asked for."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self.given = 0
        """How many there were."""

    async def next(self) -> None:
        """Wait for the turn to do one piece of work, right after this."""
        async with self._lock:
            self.given += 1
            await asyncio.sleep(0)

    async def pieces(self, items: Sequence[T], size: int = PIECE) -> AsyncIterator[Sequence[T]]:
        """`items` in pieces, each in a turn of its own."""
        for start in range(0, len(items), size):
            await self.next()
            yield items[start : start + size]

    async def spread(
        self, items: AsyncIterator[T], size: Callable[[T], int]
    ) -> AsyncGenerator[T, None]:
        """`items` as they come, with a turn for each piece of them, as `size` counts."""
        waiting = 0
        async for item in items:
            waiting += size(item)
            if waiting >= PIECE:
                await self.next()
                waiting = 0
            yield item
