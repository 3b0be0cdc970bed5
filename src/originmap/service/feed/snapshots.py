"""Snapshots for readers, with a limit on open snapshots.

An open snapshot keeps the database from cleaning up old row versions, and on PostgreSQL uses a
connection, until its reader is done. Each credential has a share of the limit, and some snapshots
are reserved for operators, because replicas need one to start.
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
"""Maximum of open snapshots, for the feed and exports together."""
MOST_OF_ONE = 4
"""Maximum of one credential."""
RESERVED = 2
"""Reserved for operators."""


class SnapshotReader(NamedTuple):
    """The reader of a snapshot: the ID of its credential, and whether it is an operator."""

    credential: str
    operator: bool


LOCAL = SnapshotReader("", operator=True)
"""The reader for the operator's command line."""


class Snapshots:
    """Takes snapshots of a store and counts the open ones."""

    def __init__(self, store: Store, turns: Turns | None = None) -> None:
        self._store = store
        self._turns = turns or Turns()
        self._taken: Counter[str] = Counter()

    async def take(
        self, reader: SnapshotReader, since: int | None = None
    ) -> AsyncGenerator[Part, None]:
        """Yield a snapshot of now, with the changes after `since` if set; see `snapshot_since`.
        Raises StoreBusy if too many snapshots are open."""
        async with contextlib.aclosing(
            self._counted(reader, snapshot_since(self._store, since))
        ) as parts:
            async for part in parts:
                yield part

    async def take_at(self, reader: SnapshotReader, revision: int) -> AsyncGenerator[Part, None]:
        """Yield a snapshot as of `revision`; see `released_snapshot`. Raises StoreBusy if too many
        snapshots are open."""
        async with contextlib.aclosing(
            self._counted(reader, released_snapshot(self._store, revision))
        ) as parts:
            async for part in parts:
                yield part

    async def _counted(
        self, reader: SnapshotReader, snapshot: AsyncGenerator[Part, None]
    ) -> AsyncGenerator[Part, None]:
        credential, operator = reader
        limit = MOST if operator else MOST - RESERVED
        if self._taken.total() >= limit or self._taken[credential] >= MOST_OF_ONE:
            raise StoreBusy
        self._taken[credential] += 1
        try:
            async with contextlib.aclosing(snapshot) as parts:
                async for part in self._turns.spread(parts, size):
                    yield part
        finally:
            self._taken[credential] -= 1
            if not self._taken[credential]:
                del self._taken[credential]
