"""The rollout of a database: its steps, and the progress of its nodes."""

from dataclasses import replace

from originmap.domain.errors import HistoryGone, InvalidQuery, RolloutConflict, Stale
from originmap.domain.history.change import Cause, Change
from originmap.domain.history.record import Kind, RecordDecision, RecordsView
from originmap.domain.mapping.mapping import MappingChange
from originmap.domain.rollout import rollout as steps
from originmap.domain.rollout.rollout import Rollout, Step, parse_stages
from originmap.domain.rollout.rules import take
from originmap.service.feed.followers import Followers
from originmap.service.rollout.current_rollout import CurrentRollout
from originmap.service.rollout.rollout_json import (
    Counts,
    RolloutJSON,
    StageJSON,
    nodes_json,
    rollout_json,
    stages_json,
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

_SERVED = (Kind.ZONE, Kind.TOPOLOGY, Kind.LATENCIES, Kind.CATALOGUE)
_MAX_COUNTED = 1_000


class Rollouts:
    """Tracks the record of the rollout, and changes it."""

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
        """The last rollout, as of the last commit; None if there was none."""
        return self._record.rollout

    @property
    def floor(self) -> int | None:
        """The oldest revision at which nodes may be held, so that the history since must be kept;
        None without a rollout in force."""
        return self._record.floor

    async def status(self, *, for_edge: bool = False) -> RolloutJSON | None:
        """Return the last rollout with the progress of its nodes, None if there was none.
        `for_edge` returns the edge form, without texts from operators and nodes."""
        rollout = self.current
        if rollout is None:
            return None
        followers = self._followers.all()
        if for_edge:
            rollout = replace(rollout, why="", by="")
            followers = [replace(follower, problem="") for follower in followers]
        until = rollout.target
        reached = self._store.revision  # read before counting, so that no change up to it is missed
        changes = await self._changes(rollout.base, until)
        later = 0 if until is None else await self._changes(until, None)
        counts = Counts(reached, changes, later, self._followers.listening)
        return rollout_json(rollout, counts, followers, self._now())

    def stages(self) -> list[StageJSON]:
        """Return the stages of the rollout in force, with the progress of their nodes; empty if
        there is none."""
        rollout = self.current
        if rollout is None or not rollout.in_force:
            return []
        return stages_json(rollout, nodes_json(rollout, self._followers.all(), self._now()))

    async def take(self, request: RolloutRequest, cause: Cause) -> Rollout:
        """Take a step. Raises RolloutConflict, InvalidQuery, HistoryGone."""
        step = await self._step(request, cause)
        decide = take(step, cause.credential, self._now(), request.number)
        seen = request.revision if isinstance(request, Finish) else None
        while True:
            try:
                return (await self._store.write_records(decide, cause, seen)).outcome
            except Stale as error:
                reached = self._store.revision
                if seen is None or reached <= seen or await self._changes(seen, None):
                    text = f"{error}: check the changes, then finish again"
                    raise RolloutConflict(text) from None
                seen = reached  # nothing that nodes serve was changed, such as a hook's position

    async def _step(self, request: RolloutRequest, cause: Cause) -> Step:
        if not isinstance(request, Hold | Start | Kill):
            return _simple_step(request)
        reached = await self._reached(cause)
        last = self.current.base if self.current else None
        if isinstance(request, Start):
            return await self._start(request, reached)
        if isinstance(request, Hold):
            base = reached if request.base is None else request.base
            return steps.hold(self._holdable(base, reached), self._now())
        if (to := last if request.base is None else request.base) is not None:
            self._holdable(to, reached)
        return steps.kill(request.base, self._now(), request.why)

    async def _start(self, request: Start, reached: int) -> Step:
        """Return the first step of a rollout up to the newest change that was acknowledged before
        this request."""
        nodes = {follower.colo for follower in self._followers.all() if follower.colo}
        stages = parse_stages(request.stages, nodes | self._topologies.current.by_code().keys())
        since = self.floor if request.base is None else request.base
        if since is not None and not await self._changes(self._holdable(since, reached), reached):
            raise RolloutConflict(f"nothing was changed after revision {since}")
        return steps.start(stages, request.base, reached, self._now())

    async def _reached(self, cause: Cause) -> int:
        """Return the newest revision, including writes of other processes: an empty write comes
        after every acknowledged one. Raises NotThePrimary on a replica."""

        def nothing(records: RecordsView) -> RecordDecision[None]:
            return RecordDecision((), None)

        return (await self._store.write_records(nothing, cause)).revision

    def _holdable(self, revision: int, reached: int) -> int:
        """Return `revision` if nodes can be held at it. Raises HistoryGone, InvalidQuery."""
        if revision > reached:
            raise InvalidQuery(f"revision {revision} has not been reached")
        if revision < self._store.oldest:
            raise HistoryGone(self._store.oldest)
        return revision

    async def _changes(self, since: int, until: int | None) -> int:
        """Return how many changes of what nodes serve came after `since`, up to revision `until`
        (None for the newest); at most _MAX_COUNTED."""
        count = 0
        while count < _MAX_COUNTED:
            chunk = await self._store.changes(since, _MAX_COUNTED)
            upto = [c for c in chunk if until is None or c.revision <= until]
            count += sum(map(_is_served, upto))
            if not upto or len(upto) < len(chunk):
                break
            since = upto[-1].revision
        return min(count, _MAX_COUNTED)


def _simple_step(
    request: Advance | Pause | Resume | Halt | Abort | Finish,
) -> Step:
    match request:
        case Advance():
            return steps.advance(request.stage)
        case Pause():
            return steps.pause(request.why)
        case Resume():
            return steps.resume()
        case Halt():
            return steps.halt(request.why)
        case Abort():
            return steps.abort(request.why)
        case Finish():
            return steps.finish()


def _is_served(change: Change) -> bool:
    what = change.what
    return isinstance(what, MappingChange) or what.key.kind in _SERVED
