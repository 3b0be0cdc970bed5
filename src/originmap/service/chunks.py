"""Bytes that are made as they are read."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable


class Chunks(AsyncIterator[bytes]):
    """The chunks that a generator makes. Close it when it is not read to its end, also when
    nothing was read at all: a generator that was never begun would close nothing behind it."""

    def __init__(
        self, chunks: AsyncGenerator[bytes, None], *behind: AsyncGenerator[object, None]
    ) -> None:
        """`behind`: the generators that `chunks` reads from, the nearest first."""
        self._chunks = chunks
        self._behind = behind
        self.on_close: Callable[[], None] | None = None

    async def __anext__(self) -> bytes:
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """Let everything go that is open behind it."""
        if self.on_close is not None:
            self.on_close()
        for generator in (self._chunks, *self._behind):
            await generator.aclose()
