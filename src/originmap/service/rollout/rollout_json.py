"""The JSON of a rollout: its state, its stages, and what each node serves."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from originmap.domain.rollout.rollout import Rollout, RolloutState, allowed, stage_of, unheard
from originmap.feed.changes_json import moment
from originmap.service.feed.followers import SILENT_SECONDS, FollowerStatus


class StageJSON(msgspec.Struct, frozen=True):
    """A stage: what it `takes`, as in "SIN+FRA" or "10%", its nodes, and how many of them are in
    contact and serve the allowed revision. `unheard` lists the colos, or the share of all nodes,
    of the stage that no node in contact belongs to."""

    takes: str
    released: bool
    nodes: int
    there: int
    unheard: list[str]


class NodeJSON(msgspec.Struct, frozen=True):
    """A node with a cache, from its last report.

    `stage` is its stage from 1, null before stages are set. `allowed` is null for the newest
    revision. `silent` is the number of seconds since its last contact.
    """

    name: str
    colo: str
    stage: int | None
    allowed: int | None
    applied: int | None
    problem: str
    last_contact: datetime
    silent: float

    @property
    def heard(self) -> bool:
        """Whether it was in contact recently."""
        return self.silent < SILENT_SECONDS

    @property
    def is_there(self) -> bool:
        """Whether it is in contact and serves the allowed revision."""
        return self.heard and self.allowed in (None, self.applied)


class RolloutJSON(msgspec.Struct, frozen=True):
    """The last rollout.

    `changes` is the number of changes that it holds or releases, and `later` the number of changes
    after its start; both stop at 1,000. `revision` is the newest. `listening` is the number of
    seconds since the server's start: it only knows nodes that have reported since.
    """

    number: int
    state: RolloutState
    base: int
    target: int | None
    released: int
    why: str
    by: str
    started_on: datetime
    changed_on: datetime
    revision: int
    changes: int
    later: int
    listening: float
    stages: list[StageJSON]
    nodes: list[NodeJSON]


class Counts(msgspec.Struct, frozen=True):
    """Members of RolloutJSON that are counted."""

    revision: int
    changes: int
    later: int
    listening: float


def rollout_json(
    rollout: Rollout, counts: Counts, followers: Iterable[FollowerStatus], now: int
) -> RolloutJSON:
    """Return the JSON of a rollout at time `now`, in microseconds since 1970 UTC."""
    nodes = nodes_json(rollout, followers, now)
    return RolloutJSON(
        number=rollout.number,
        state=rollout.state,
        base=rollout.base,
        target=rollout.target,
        released=rollout.released,
        why=rollout.why,
        by=rollout.by,
        started_on=moment(rollout.started_on),
        changed_on=moment(rollout.changed_on),
        revision=counts.revision,
        changes=counts.changes,
        later=counts.later,
        listening=counts.listening,
        stages=stages_json(rollout, nodes),
        nodes=nodes,
    )


def nodes_json(rollout: Rollout, followers: Iterable[FollowerStatus], now: int) -> list[NodeJSON]:
    """Return the nodes of `rollout_json`."""
    return [_node_json(rollout, follower, now) for follower in _reporting(followers)]


def stages_json(rollout: Rollout, nodes: Sequence[NodeJSON]) -> list[StageJSON]:
    """Return the stages of `rollout_json`."""
    heard = {(node.name, node.colo) for node in nodes if node.heard}
    by_stage = defaultdict[int | None, list[NodeJSON]](list)
    for node in nodes:
        by_stage[node.stage].append(node)
    return [
        StageJSON(
            stage,
            number <= rollout.released,
            len(by_stage[number]),
            sum(node.is_there for node in by_stage[number]),
            list(unheard(stage, heard)),
        )
        for number, stage in enumerate(rollout.stages, 1)
    ]


def _reporting(followers: Iterable[FollowerStatus]) -> list[FollowerStatus]:
    """Return the followers that feed a cache. Their name identifies them: a node with a new token
    is the same node."""
    by_name: dict[str, FollowerStatus] = {}
    for follower in followers:
        other = by_name.get(follower.name, follower)
        if follower.feeds_a_cache and follower.last_contact >= other.last_contact:
            by_name[follower.name] = follower
    return list(by_name.values())


def _node_json(rollout: Rollout, follower: FollowerStatus, now: int) -> NodeJSON:
    stage = stage_of(rollout.stages, follower.name, follower.colo) + 1 if rollout.stages else None
    return NodeJSON(
        follower.name,
        follower.colo,
        stage,
        allowed(rollout, follower.name, follower.colo),
        follower.applied,
        follower.problem,
        moment(follower.last_contact),
        max(now - follower.last_contact, 0) / 1e6,
    )
