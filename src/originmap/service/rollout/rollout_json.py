"""A rollout as it is shown: how it stands, its waves, and the nodes with what they serve."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from originmap.domain.rollout.rollout import Rollout, RolloutState, allowed, unheard, wave_of
from originmap.feed.changes_json import moment
from originmap.service.feed.followers import SILENT_SECONDS, FollowerStatus


class WaveJSON(msgspec.Struct, frozen=True):
    """A wave, with how many nodes it takes, and how many of them are heard of and serve what they
    may. `unheard` is what it names that no node is heard of: colos, or its part of all nodes."""

    wave: str
    released: bool
    nodes: int
    there: int
    unheard: list[str]


class NodeJSON(msgspec.Struct, frozen=True):
    """A node of a cache, as it last reported. `wave` is counted from 1, null while no waves are
    known; `allowed` is null for the newest revision; `silent` counts the seconds since its last
    contact."""

    name: str
    colo: str
    wave: int | None
    allowed: int | None
    applied: int | None
    problem: str
    last_contact: datetime
    silent: float

    @property
    def heard(self) -> bool:
        """Whether it was heard of lately."""
        return self.silent < SILENT_SECONDS

    @property
    def is_there(self) -> bool:
        """Whether it is heard of and serves what it may."""
        return self.heard and self.allowed in (None, self.applied)


class RolloutJSON(msgspec.Struct, frozen=True):
    """The last rollout. `changes` is how much it holds or releases, `later` how much was changed
    after it was started; neither is counted beyond 1,000. `revision` is the newest there is.
    `listening` counts the seconds since the server was started: it only knows the nodes that have
    reported since."""

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
    waves: list[WaveJSON]
    nodes: list[NodeJSON]


class Counts(msgspec.Struct, frozen=True):
    """As in RolloutJSON."""

    revision: int
    changes: int
    later: int
    listening: float


def rollout_json(
    rollout: Rollout, counts: Counts, followers: Iterable[FollowerStatus], now: int
) -> RolloutJSON:
    """How a rollout is shown at a time, in microseconds since 1970 UTC."""
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
        waves=waves_json(rollout, nodes),
        nodes=nodes,
    )


def nodes_json(rollout: Rollout, followers: Iterable[FollowerStatus], now: int) -> list[NodeJSON]:
    """The nodes as `rollout_json` shows them."""
    return [_node_json(rollout, follower, now) for follower in _reporting(followers)]


def waves_json(rollout: Rollout, nodes: Sequence[NodeJSON]) -> list[WaveJSON]:
    """The waves as `rollout_json` shows them."""
    heard = {(node.name, node.colo) for node in nodes if node.heard}
    by_wave = defaultdict[int | None, list[NodeJSON]](list)
    for node in nodes:
        by_wave[node.wave].append(node)
    return [
        WaveJSON(
            wave,
            number <= rollout.released,
            len(by_wave[number]),
            sum(node.is_there for node in by_wave[number]),
            list(unheard(wave, heard)),
        )
        for number, wave in enumerate(rollout.waves, 1)
    ]


def _reporting(followers: Iterable[FollowerStatus]) -> list[FollowerStatus]:
    """Those that feed caches. A node is known by its name: under a new token it is the same."""
    found: dict[str, FollowerStatus] = {}
    for follower in followers:
        known = found.get(follower.name, follower)
        if follower.feeds_a_cache and follower.last_contact >= known.last_contact:
            found[follower.name] = follower
    return list(found.values())


def _node_json(rollout: Rollout, follower: FollowerStatus, now: int) -> NodeJSON:
    wave = wave_of(rollout.waves, follower.name, follower.colo) + 1 if rollout.waves else None
    return NodeJSON(
        follower.name,
        follower.colo,
        wave,
        allowed(rollout, follower.name, follower.colo),
        follower.applied,
        follower.problem,
        moment(follower.last_contact),
        max(now - follower.last_contact, 0) / 1e6,
    )
