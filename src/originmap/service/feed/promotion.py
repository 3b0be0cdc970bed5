"""Making a replica's database a database of its own."""

from typing import NamedTuple

from originmap.domain.errors import StillFollowing
from originmap.service.feed.replication import Replication
from originmap.store.port import Store


class Promoted(NamedTuple):
    """Where the database stands; `promoted` is false for one that was no replica."""

    promoted: bool
    epoch: str
    revision: int


class Promotion:
    """Promotes a store. `replication` is there while a server keeps it up to date."""

    def __init__(self, store: Store, replication: Replication | None) -> None:
        self._store = store
        self._replication = replication

    async def promote(self) -> Promoted:
        """Do it. Raises StillFollowing."""
        if self._replication is not None:
            raise StillFollowing(self._replication.primary)
        was = self._store.is_replica
        if was:
            await self._store.promote()
        return Promoted(was, self._store.epoch, self._store.revision)
