"""Snapshots for readers, a bounded number at once.

Each keeps the database from tidying up behind it, on PostgreSQL with a connection of its own, for
as long as its reader takes. One credential has a share of them, and some are reserved for
operators, whose replicas could not start otherwise.
"""

import contextlib
from collections import Counter
from collections.abc import AsyncGenerator
from typing import NamedTuple

from originmap.domain.errors import StoreBusy
from originmap.domain.history.snapshot import Part, size
from originmap.service.rollout.past_state import released_snapshot, snapshot_since
from originmap.service.turns import Turns
from originmap.store.port import Store

MOST = 8
"""Snapshots that are read at once, feed and exports together."""
MOST_OF_ONE = 4
"""Those of one credential."""
RESERVED = 2
"""Those that only operators may take."""


class SnapshotReader(NamedTuple):
    """Whose a snapshot is: the id of a credential, and whether it may change everything."""

    credential: str
    operator: bool


LOCAL = SnapshotReader("", operator=True)
"""The operator's command line."""


class Snapshots:
    """Takes snapshots of a store, and counts those that are being read."""

    def __init__(self, store: Store, turns: Turns | None = None) -> None:
        self._store = store
        self._turns = turns or Turns()
        self._taken: Counter[str] = Counter()

    async def take(
        self, reader: SnapshotReader, since: int | None = None
    ) -> AsyncGenerator[Part, None]:
        """As `snapshot_since`. Raises StoreBusy while too many are being read."""
        async with contextlib.aclosing(
            self._counted(reader, snapshot_since(self._store, since))
        ) as parts:
            async for part in parts:
                yield part

    async def take_at(self, reader: SnapshotReader, revision: int) -> AsyncGenerator[Part, None]:
        """As `released_snapshot`. Raises StoreBusy while too many are being read."""
        async with contextlib.aclosing(
            self._counted(reader, released_snapshot(self._store, revision))
        ) as parts:
            async for part in parts:
                yield part

    async def _counted(
        self, reader: SnapshotReader, made: AsyncGenerator[Part, None]
    ) -> AsyncGenerator[Part, None]:
        credential, operator = reader
        limit = MOST if operator else MOST - RESERVED
        if self._taken.total() >= limit or self._taken[credential] >= MOST_OF_ONE:
            raise StoreBusy
        self._taken[credential] += 1
        try:
            async with contextlib.aclosing(made) as parts:
                async for part in self._turns.spread(parts, size):
                    yield part
        finally:
            self._taken[credential] -= 1
            if not self._taken[credential]:
                del self._taken[credential]
