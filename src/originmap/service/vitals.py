"""How the server does, in numbers: what monitoring watches besides the requests.

Numbers only. Whoever may see them may not be somebody who may know what is stored, or who
follows, so nothing here has a name.
"""

import asyncio
from typing import NamedTuple

from originmap.domain.errors import StoreError
from originmap.domain.rollout.rollout import RolloutState
from originmap.service.feed.broadcast import Broadcast
from originmap.service.feed.followers import Followers
from originmap.service.feed.replication import Replication
from originmap.service.rollout.rollouts import Rollouts
from originmap.store.clock import Now
from originmap.store.port import Queue, Store

SILENT_AFTER = 60 * 1_000_000
"""Microseconds after which a follower is silent: one that is there asks every few seconds."""

_SIZE_SECONDS = 2.0
"""How long the database may take to say its size: it may be what is out of order."""


class FollowersNow(NamedTuple):
    """The followers together. `lag` is of the one furthest behind of those that are heard of."""

    heard: int
    silent: int
    lag: int


class ReplicaNow(NamedTuple):
    """How a replica stands to its primary; `age` in seconds."""

    connected: bool
    age: float


class StageNow(NamedTuple):
    """A stage of a rollout in force: its nodes, and those of them that are heard of and serve what
    they may."""

    nodes: int
    there: int


class RolloutNow(NamedTuple):
    """The last rollout: how it stands, how many of its waves are released, and how far each one's
    nodes are; `stages` is empty when no rollout is in force."""

    state: RolloutState
    waves: int
    released: int
    stages: tuple[StageNow, ...] = ()


class Vitals(NamedTuple):
    """The numbers of a moment. `size` is None where the database does not tell, `replica` where
    no other server is followed, `rollout` where there was none."""

    revision: int
    oldest: int
    writable: bool
    size: int | None
    queue: Queue
    watchers: int
    followers: FollowersNow
    replica: ReplicaNow | None
    rollout: RolloutNow | None


class Monitor:
    """Takes the numbers."""

    def __init__(
        self,
        store: Store,
        broadcast: Broadcast,
        followers: Followers,
        replication: Replication | None,
        rollouts: Rollouts,
        now: Now,
    ) -> None:
        """`now` in microseconds since 1970 UTC."""
        self._store = store
        self._broadcast = broadcast
        self._followers = followers
        self._replication = replication
        self._rollouts = rollouts
        self._now = now

    async def vitals(self) -> Vitals:
        """The numbers of now, whatever state the database is in."""
        store, size = self._store, await self._size()
        return Vitals(
            revision=store.revision,
            oldest=store.oldest,
            writable=store.writable,
            size=size,
            queue=store.queue,
            watchers=self._broadcast.count,
            followers=self._followers_now(),
            replica=self._replica_now(),
            rollout=self._rollout_now(),
        )

    async def _size(self) -> int | None:
        try:
            async with asyncio.timeout(_SIZE_SECONDS):
                return await self._store.size()
        except (StoreError, TimeoutError):
            return None

    def _followers_now(self) -> FollowersNow:
        since = self._now() - SILENT_AFTER
        known = self._followers.all()
        heard = [follower for follower in known if follower.last_contact >= since]
        lag = max((self._followers.lag(follower) for follower in heard), default=0)
        return FollowersNow(len(heard), len(known) - len(heard), lag)

    def _replica_now(self) -> ReplicaNow | None:
        copy = self._replication
        return None if copy is None else ReplicaNow(copy.connected, copy.age)

    def _rollout_now(self) -> RolloutNow | None:
        last = self._rollouts.current
        if last is None:
            return None
        stages = tuple(StageNow(wave.nodes, wave.there) for wave in self._rollouts.waves())
        return RolloutNow(last.state, len(last.waves), last.released, stages)
