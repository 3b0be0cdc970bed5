"""The rollout of a database: its steps, and how far the nodes are."""

from dataclasses import replace

from originmap.domain.errors import HistoryGone, InvalidQuery, RolloutConflict, Stale
from originmap.domain.history.change import Cause, Change
from originmap.domain.history.record import Kind, RecordDecision, RecordsView
from originmap.domain.mapping.mapping import MappingChange
from originmap.domain.rollout import rollout as steps
from originmap.domain.rollout.rollout import Rollout, Step, parse_waves
from originmap.domain.rollout.rules import take
from originmap.service.feed.followers import Followers
from originmap.service.rollout.current_rollout import CurrentRollout
from originmap.service.rollout.rollout_json import (
    Counts,
    RolloutJSON,
    WaveJSON,
    nodes_json,
    rollout_json,
    waves_json,
)
from originmap.service.rollout.steps import (
    Abort,
    Advance,
    Finish,
    Halt,
    Hold,
    Kill,
    Pause,
    Resume,
    RolloutRequest,
    Start,
)
from originmap.service.tier.topology import Topologies
from originmap.store.clock import Now
from originmap.store.port import Store

_SERVED = (Kind.ZONE, Kind.TOPOLOGY, Kind.LATENCIES)
_MOST_COUNTED = 1_000


class Rollouts:
    """Follows the record of the rollout, and changes it."""

    def __init__(
        self, store: Store, followers: Followers, topologies: Topologies, now: Now
    ) -> None:
        """`now` in microseconds since 1970 UTC."""
        self._store = store
        self._followers = followers
        self._topologies = topologies
        self._now = now
        self._record = CurrentRollout(store)

    @property
    def current(self) -> Rollout | None:
        """The last rollout there was, as of the last commit."""
        return self._record.rollout

    @property
    def floor(self) -> int | None:
        """The revision that nodes may be kept at, so that the history must tell everything since;
        None where they are not kept."""
        return self._record.floor

    async def status(self, *, for_edge: bool = False) -> RolloutJSON | None:
        """The last rollout, and how far the nodes are; None where there was none. `for_edge` is
        the edge form, without what operators and nodes said."""
        rollout = self.current
        if rollout is None:
            return None
        followers = self._followers.all()
        if for_edge:
            rollout = replace(rollout, why="", by="")
            followers = [replace(follower, problem="") for follower in followers]
        until = rollout.target
        reached = self._store.revision  # before the changes are counted: none up to it is missed
        changes = await self._changes(rollout.base, until)
        later = 0 if until is None else await self._changes(until, None)
        counts = Counts(reached, changes, later, self._followers.listening)
        return rollout_json(rollout, counts, followers, self._now())

    def waves(self) -> list[WaveJSON]:
        """The waves of the rollout that is in force, with how far their nodes are; none without
        one."""
        rollout = self.current
        if rollout is None or not rollout.in_force:
            return []
        return waves_json(rollout, nodes_json(rollout, self._followers.all(), self._now()))

    async def take(self, asked: RolloutRequest, cause: Cause) -> Rollout:
        """Take a step. Raises RolloutConflict, InvalidQuery, HistoryGone."""
        step = await self._step(asked, cause)
        decide = take(step, cause.credential, self._now(), asked.number)
        seen = asked.revision if isinstance(asked, Finish) else None
        try:
            return (await self._store.write_records(decide, cause, seen)).outcome
        except Stale as error:
            raise RolloutConflict(f"{error}: look again before it goes everywhere") from None

    async def _step(self, asked: RolloutRequest, cause: Cause) -> Step:
        if not isinstance(asked, Hold | Start | Kill):
            return _plain(asked)
        reached = await self._reached(cause)
        last = self.current.base if self.current else None
        if isinstance(asked, Start):
            return await self._start(asked, reached)
        if isinstance(asked, Hold):
            base = reached if asked.base is None else asked.base
            return steps.hold(self._kept(base, reached), self._now())
        if (to := last if asked.base is None else asked.base) is not None:
            self._kept(to, reached)
        return steps.kill(asked.base, self._now(), asked.why)

    async def _start(self, asked: Start, reached: int) -> Step:
        """What is released ends with the newest change that was answered before this was asked."""
        nodes = {follower.colo for follower in self._followers.all() if follower.colo}
        waves = parse_waves(asked.waves, nodes | self._topologies.current.by_code().keys())
        since = self.floor if asked.base is None else asked.base
        if since is not None and not await self._changes(self._kept(since, reached), reached):
            raise RolloutConflict(f"nothing was changed after revision {since}")
        return steps.start(waves, asked.base, reached, self._now())

    async def _reached(self, cause: Cause) -> int:
        """The newest revision, also where other processes write: a write that changes nothing
        comes after all that were answered. Raises NotThePrimary on a replica."""

        def nothing(records: RecordsView) -> RecordDecision[None]:
            return RecordDecision((), None)

        return (await self._store.write_records(nothing, cause)).revision

    def _kept(self, revision: int, reached: int) -> int:
        """`revision`, if nodes can be kept at it. Raises HistoryGone, InvalidQuery."""
        if revision > reached:
            raise InvalidQuery(f"revision {revision} has not been reached")
        if revision < self._store.oldest:
            raise HistoryGone(self._store.oldest)
        return revision

    async def _changes(self, since: int, until: int | None) -> int:
        """How many changes of what nodes serve came after one revision up to another, None for
        the newest; at most _MOST_COUNTED."""
        found = 0
        while found < _MOST_COUNTED:
            chunk = await self._store.changes(since, _MOST_COUNTED)
            upto = [c for c in chunk if until is None or c.revision <= until]
            found += sum(map(_is_served, upto))
            if not upto or len(upto) < len(chunk):
                break
            since = upto[-1].revision
        return min(found, _MOST_COUNTED)


def _plain(
    asked: Advance | Pause | Resume | Halt | Abort | Finish,
) -> Step:
    match asked:
        case Advance():
            return steps.advance(asked.wave)
        case Pause():
            return steps.pause(asked.why)
        case Resume():
            return steps.resume()
        case Halt():
            return steps.halt(asked.why)
        case Abort():
            return steps.abort(asked.why)
        case Finish():
            return steps.finish()


def _is_served(change: Change) -> bool:
    what = change.what
    return isinstance(what, MappingChange) or what.key.kind in _SERVED
