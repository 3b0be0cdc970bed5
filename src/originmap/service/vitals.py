"""Metrics of the server's state: the database, followers, replication and rollout.

They are numbers only, without names: readers of metrics may not be allowed to know what is stored
or which servers follow.
"""

import asyncio
from typing import NamedTuple

from originmap.domain.errors import StoreError
from originmap.domain.rollout.rollout import RolloutState
from originmap.service.feed.broadcast import Broadcast
from originmap.service.feed.followers import Followers
from originmap.service.feed.replication import Replication
from originmap.service.hook.book import HookBook
from originmap.service.rollout.rollouts import Rollouts
from originmap.store.clock import Now
from originmap.store.port import Queue, Store

SILENT_AFTER = 60 * 1_000_000
"""Microseconds without contact after which a follower is silent; an active one polls every few
seconds."""

_SIZE_SECONDS = 2.0
"""Timeout for the size of the database, which may be the component that is failing."""


class FollowersNow(NamedTuple):
    """Totals of the followers. `lag` is the largest of the followers in contact."""

    heard: int
    silent: int
    lag: int


class ReplicaNow(NamedTuple):
    """The state of a replica's connection to its primary; `age` is in seconds."""

    connected: bool
    age: float


class StandbyNow(NamedTuple):
    """A standby of the database: whether it serves reads, its lag in seconds, and totals of reads
    that it served, and that the database served instead."""

    serves: bool
    lag: float
    reads: int
    fallbacks: int


class StageNow(NamedTuple):
    """A stage of a rollout in force: its nodes, and how many of them are in contact and serve the
    allowed revision."""

    nodes: int
    there: int


class RolloutNow(NamedTuple):
    """The last rollout: its state, how many of its stages are released, and the progress of each.
    `stages` is empty if no rollout is in force."""

    state: RolloutState
    stage_count: int
    released: int
    stages: tuple[StageNow, ...] = ()


class HooksNow(NamedTuple):
    """The webhooks of the database and their dead letters; messages that this process delivered,
    and attempts that failed; and the largest lag, in revisions, of the hooks that it delivers."""

    total: int
    dead: int
    delivered: int
    failed: int
    lag: int


class StreamCounts:
    """Counts of the streams of nodes that run Envoy, since the start of the process."""

    def __init__(self) -> None:
        self.streams = 0
        """Open streams."""
        self.resources = 0
        """Resources sent."""
        self.rejections = 0
        """Responses that nodes rejected."""


class Vitals(NamedTuple):
    """The metrics at one moment. `size` is None if the database cannot tell, `replica` if the
    server is not a replica, `standby` if it reads from none, `rollout` if there was none."""

    revision: int
    oldest: int
    writable: bool
    size: int | None
    queue: Queue
    watchers: int
    followers: FollowersNow
    replica: ReplicaNow | None
    standby: StandbyNow | None
    rollout: RolloutNow | None
    hooks: HooksNow
    xds: StreamCounts


def standby_now(store: Store) -> StandbyNow | None:
    """Return the state of the standby that a store reads from, if there is one."""
    found = store.standby
    if found is None:
        return None
    return StandbyNow(found.serves, found.lag, found.reads, found.fallbacks)


class Monitor:
    """Collects the metrics."""

    def __init__(
        self,
        store: Store,
        broadcast: Broadcast,
        followers: Followers,
        replication: Replication | None,
        rollouts: Rollouts,
        hooks: HookBook,
        streams: StreamCounts,
        now: Now,
    ) -> None:
        """`now` in microseconds since 1970 UTC."""
        self._store = store
        self._broadcast = broadcast
        self._followers = followers
        self._replication = replication
        self._rollouts = rollouts
        self._hooks = hooks
        self._streams = streams
        self._now = now

    async def vitals(self) -> Vitals:
        """Return the current metrics, whatever the state of the database."""
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
            standby=standby_now(store),
            rollout=self._rollout_now(),
            hooks=self._hooks_now(),
            xds=self._streams,
        )

    async def _size(self) -> int | None:
        try:
            async with asyncio.timeout(_SIZE_SECONDS):
                return await self._store.size()
        except (StoreError, TimeoutError):
            return None

    def _followers_now(self) -> FollowersNow:
        since = self._now() - SILENT_AFTER
        followers = self._followers.all()
        heard = [follower for follower in followers if follower.last_contact >= since]
        lag = max((self._followers.lag(follower) for follower in heard), default=0)
        return FollowersNow(len(heard), len(followers) - len(heard), lag)

    def _hooks_now(self) -> HooksNow:
        book, tally = self._hooks, self._hooks.tally
        reached = min(tally.reached.values(), default=self._store.revision)
        lag = max(self._store.revision - reached, 0)
        return HooksNow(len(book.all()), book.dead, tally.delivered, tally.failed, lag)

    def _replica_now(self) -> ReplicaNow | None:
        copy = self._replication
        return None if copy is None else ReplicaNow(copy.connected, copy.age)

    def _rollout_now(self) -> RolloutNow | None:
        last = self._rollouts.current
        if last is None:
            return None
        stages = tuple(StageNow(stage.nodes, stage.there) for stage in self._rollouts.stages())
        return RolloutNow(last.state, len(last.stages), last.released, stages)
