"""Replicas, for the operator: who follows, and making a replica a database of its own."""

from typing import Any

import msgspec

from originmap.domain.errors import StillFollowing
from originmap.service.followers import Followers
from originmap.service.operate.parts import Handlers
from originmap.service.replication import Replication
from originmap.store.port import Store


class ListFollowers(msgspec.Struct, frozen=True, tag=True):
    """Who follows the server that owns the database."""


class Promote(msgspec.Struct, frozen=True, tag=True):
    """Make a replica a database of its own."""


class OperateCopies:
    """As `parts.Subject`."""

    def __init__(self, store: Store, followers: Followers, replication: Replication | None) -> None:
        self._store = store
        self._followers = followers
        self._replication = replication

    @property
    def handlers(self) -> Handlers:
        """As `Subject.handlers`."""
        return {ListFollowers: self._list, Promote: self._promote}

    async def _list(self, command: ListFollowers) -> list[dict[str, Any]]:
        return [
            {**msgspec.to_builtins(follower), "lag": self._followers.lag(follower)}
            for follower in self._followers.all()
        ]

    async def _promote(self, command: Promote) -> list[dict[str, Any]]:
        if self._replication is not None:
            raise StillFollowing(self._replication.primary)
        was = self._store.is_replica
        if was:
            await self._store.promote()
        return [{"promoted": was, "epoch": self._store.epoch, "revision": self._store.revision}]
