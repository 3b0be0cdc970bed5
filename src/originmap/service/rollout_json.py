"""A rollout as it is shown: how it stands, its waves, and the nodes with what they serve."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from originmap.domain.rollout import Rollout, RolloutState, allowed, wave_of
from originmap.feed.changes_json import moment
from originmap.service.followers import Follower


class WaveJSON(msgspec.Struct, frozen=True):
    """A wave, with how many nodes it takes, and how many of them serve what they may."""

    wave: str
    released: bool
    nodes: int
    there: int


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


class RolloutJSON(msgspec.Struct, frozen=True):
    """The last rollout. `changes` is how much it holds or releases, `later` how much was changed
    after it was started; neither is counted beyond 1,000. `revision` is the newest there is."""

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
    waves: list[WaveJSON]
    nodes: list[NodeJSON]


class Counts(msgspec.Struct, frozen=True):
    """As in RolloutJSON."""

    revision: int
    changes: int
    later: int


def rollout_json(
    rollout: Rollout, counts: Counts, followers: Iterable[Follower], now: int
) -> RolloutJSON:
    """How a rollout is shown at a time, in microseconds since 1970 UTC."""
    nodes = [_node_json(rollout, follower, now) for follower in _reporting(followers)]
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
        waves=[
            _wave_json(rollout, index, [node for node in nodes if node.wave == index + 1])
            for index in range(len(rollout.waves))
        ],
        nodes=nodes,
    )


def _reporting(followers: Iterable[Follower]) -> list[Follower]:
    """Those that feed caches. A node is known by its name: under a new token it is the same."""
    found: dict[str, Follower] = {}
    for follower in followers:
        known = found.get(follower.name, follower)
        if follower.feeds_a_cache and follower.last_contact >= known.last_contact:
            found[follower.name] = follower
    return list(found.values())


def _wave_json(rollout: Rollout, index: int, nodes: list[NodeJSON]) -> WaveJSON:
    there = sum(node.allowed is None or node.applied == node.allowed for node in nodes)
    released = index < rollout.released
    return WaveJSON(rollout.waves[index], released, len(nodes), there)


def _node_json(rollout: Rollout, follower: Follower, now: int) -> NodeJSON:
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
