"""Promoting a replica to primary."""

from typing import NamedTuple

from originmap.domain.errors import StillFollowing
from originmap.service.feed.replication import Replication
from originmap.store.port import Store


class Promoted(NamedTuple):
    """The state after a promotion; `promoted` is False if the database was not a replica."""

    promoted: bool
    epoch: str
    revision: int


class Promotion:
    """Promotes a store to primary. `replication` is None unless a server keeps the store up to
    date."""

    def __init__(self, store: Store, replication: Replication | None) -> None:
        self._store = store
        self._replication = replication

    async def promote(self) -> Promoted:
        """Promote the database. Raises StillFollowing if a server still replicates into it."""
        if self._replication is not None:
            raise StillFollowing(self._replication.primary)
        was = self._store.is_replica
        if was:
            await self._store.promote()
        return Promoted(was, self._store.epoch, self._store.revision)
