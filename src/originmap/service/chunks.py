"""Bytes that are generated while they are read."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable


class Chunks(AsyncIterator[bytes]):
    """The chunks of a generator. Call `aclose` unless all chunks were read, also if none were: a
    generator that never started does not close its own sources."""

    def __init__(
        self, chunks: AsyncGenerator[bytes, None], *behind: AsyncGenerator[object, None]
    ) -> None:
        """`behind` are the generators that `chunks` reads from, the nearest first."""
        self._chunks = chunks
        self._behind = behind
        self.on_close: Callable[[], None] | None = None

    async def __anext__(self) -> bytes:
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """Close all generators behind it."""
        if self.on_close is not None:
            self.on_close()
        for generator in (self._chunks, *self._behind):
            await generator.aclose()
