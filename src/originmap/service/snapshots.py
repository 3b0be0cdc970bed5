"""Snapshots for whoever asks, so many at once.

Each keeps the database from tidying up behind it, on PostgreSQL with a connection of its own, for
as long as its reader takes.
"""

import contextlib
from collections.abc import AsyncGenerator

from originmap.domain.errors import StoreBusy
from originmap.domain.snapshot import Part
from originmap.service.released import snapshot_since
from originmap.store.port import Store

MOST = 4


class Snapshots:
    """Takes snapshots of a store, and counts those that are being read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._taken = 0

    async def take(self, since: int | None = None) -> AsyncGenerator[Part, None]:
        """As `snapshot_since`. Raises StoreBusy while too many are being read."""
        if self._taken >= MOST:
            raise StoreBusy
        self._taken += 1
        try:
            async with contextlib.aclosing(snapshot_since(self._store, since)) as parts:
                async for part in parts:
                    yield part
        finally:
            self._taken -= 1
