"""A rollout: releases changes to the nodes stage by stage, instead of to all at once.

Owns the revision that a node can serve, and the states of a rollout. The steps are pure functions
from the current rollout, or None, to the next one; `domain.rollout.rules` turns them into changes
of the record. Every node decides by its own replica of that record.

    step     to
    hold     held      nodes stay at `base`
    start    running   the first stage goes to `target`
    advance  running   the next stage goes to `target`
    pause    paused    every node stays at its revision
    resume   running   released stages go to `target`
    halt     halted    every node goes back to `base`
    abort    aborted   every node goes back to `base`, for good
    kill     killed    every node goes back to `base`, for good
    finish   done      every node goes to the newest revision

`_FROM` has the states that allow each step.
"""

import re
from collections.abc import Callable, Collection, Container, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256

from originmap.domain.errors import InvalidQuery, RolloutConflict

MAX_STAGES = 20
_PER_CENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?%")
_WHOLE = 10_000
"""All nodes, in hundredths of a per cent."""


class RolloutState(StrEnum):
    """The state of a rollout."""

    HELD = "held"
    RUNNING = "running"
    PAUSED = "paused"
    HALTED = "halted"  # a stage failed its checks
    ABORTED = "aborted"  # by an operator
    KILLED = "killed"  # by an operator, in an emergency
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Rollout:
    """The last rollout of a database. The changes between `base` and `target` are released to the
    first `released` of `stages`; times are in microseconds since 1970 UTC.

    A stage is one colo or several, as in "SIN+FRA", or a share of all nodes, as in "10%". It adds
    its nodes to those of the earlier stages; the last stage is "100%".
    """

    number: int  # the first rollout of a database is 1
    state: RolloutState
    base: int
    target: int | None = None  # None while the rollout is held
    stages: tuple[str, ...] = ()
    released: int = 0
    why: str = ""  # the reason for the last change of state
    by: str = ""  # the credential that made it
    started_on: int = 0
    changed_on: int = 0

    @property
    def id(self) -> str:
        """Constant: a database stores only the last rollout."""
        return "rollout"

    @property
    def in_force(self) -> bool:
        """Whether the rollout can keep a node from the newest revision."""
        return self.state is not RolloutState.DONE

    @property
    def releasing(self) -> bool:
        """Whether the nodes of released stages are at `target`."""
        return self.state in (RolloutState.RUNNING, RolloutState.PAUSED)


_FROM: Mapping[str, frozenset[RolloutState | None]] = {
    "hold": frozenset({None, RolloutState.DONE}),
    "start": frozenset({None, *RolloutState} - {RolloutState.RUNNING, RolloutState.PAUSED}),
    "advance": frozenset({RolloutState.RUNNING}),
    "pause": frozenset({RolloutState.RUNNING}),
    "resume": frozenset({RolloutState.PAUSED, RolloutState.HALTED}),
    "halt": frozenset({RolloutState.RUNNING, RolloutState.PAUSED}),
    "abort": frozenset({RolloutState.RUNNING, RolloutState.PAUSED, RolloutState.HALTED}),
    "kill": frozenset({None, *RolloutState}),
    "finish": frozenset(RolloutState) - {RolloutState.DONE},
}
"""The states that allow each step; None is that there was no rollout."""

Step = Callable[[Rollout | None], Rollout]
"""Raises RolloutConflict if the rollout's state does not allow the step."""


def steps_from(state: RolloutState | None) -> tuple[str, ...]:
    """The steps that a state allows; None is that there was no rollout."""
    return tuple(step for step, states in _FROM.items() if state in states)


def allowed(rollout: Rollout | None, node: str | None, colo: str) -> int | None:
    """The revision that a node must serve; None for the newest. A node that has not received that
    revision serves the newest that it has. A node without a name is in no share except 100%."""
    if rollout is None or not rollout.in_force:
        return None
    if rollout.releasing and stage_of(rollout.stages, node, colo) < rollout.released:
        return rollout.target
    return rollout.base


@lru_cache(maxsize=20_000)
def stage_of(stages: tuple[str, ...], node: str | None, colo: str) -> int:
    """The stage of a node, from 0 on: the first that names its colo, or whose share includes it.
    This depends only on the node's name and colo, so every node computes it alike, whichever
    other nodes exist."""
    position = _WHOLE - 1 if node is None else _position(node)
    for index, stage in enumerate(stages):
        share = _share(stage)
        if colo in stage.split("+") if share is None else position < share:
            return index
    return len(stages)


def unheard(stage: str, nodes: Collection[tuple[str, str]]) -> tuple[str, ...]:
    """The colos of a stage without any of the nodes, or its share if no node is in it. `nodes` are
    names with colos. Nodes of earlier stages count too."""
    share = _share(stage)
    if share is not None:
        return () if any(_position(name) < share for name, _ in nodes) else (stage,)
    colos = {colo for _, colo in nodes}
    return tuple(colo for colo in stage.split("+") if colo not in colos)


def parse_stages(text: str, colos: Container[str]) -> tuple[str, ...]:
    """Parse stages such as "SIN,1%,10%,100%"; `colos` are the valid colos. Raises InvalidQuery
    with all problems."""
    stages = tuple(stage.strip().upper() for stage in text.split(","))
    problems = list(_problems(stages, colos))
    if problems:
        raise InvalidQuery(f"stages: {'; '.join(problems)}")
    return stages


def hold(base: int, at: int) -> Step:
    """Keep every node at revision `base` from now on."""

    def step(rollout: Rollout | None) -> Rollout:
        _check("hold", rollout, "finish it before you hold the nodes again")
        return _new(rollout, RolloutState.HELD, base, at)

    return step


def start(stages: tuple[str, ...], base: int | None, target: int, at: int) -> Step:
    """Release the changes between `base` and `target` to the first stage; `base` None means the
    revision at which the nodes are held."""

    def step(rollout: Rollout | None) -> Rollout:
        held = rollout is not None and rollout.in_force
        _check("start", rollout, "finish or abort it before you start another one")
        since = base if base is not None else rollout.base if rollout and held else None
        if since is None:
            raise _refused(None, "hold the nodes, make the changes, then start")
        if since >= target:
            raise RolloutConflict(f"nothing was changed after revision {since}")
        fresh = _new(rollout, RolloutState.RUNNING, since, at)
        if rollout is not None and rollout.state is RolloutState.HELD:
            fresh = replace(fresh, number=rollout.number)
        return replace(fresh, target=target, stages=stages, released=1)

    return step


def advance(to: int | None = None) -> Step:
    """Release the next stage. If `to` is set, it must be the number of that stage, from 1 on."""

    def step(rollout: Rollout | None) -> Rollout:
        running = _of("advance", rollout)
        following = running.released + 1
        if running.released >= len(running.stages):
            raise _refused(running.state, "every stage is released; finish it")
        if to not in (None, following):
            raise _refused(running.state, f"the next stage is {following}, not {to}")
        return replace(running, released=following)

    return step


def pause(why: str = "") -> Step:
    """Keep every node at its revision."""
    return _to("pause", RolloutState.PAUSED, why)


def resume() -> Step:
    """Continue with the last released stage. After a halt, the nodes of all released stages go to
    `target` again."""
    return _to("resume", RolloutState.RUNNING)


def halt(why: str) -> Step:
    """Take every node back to `base`, because a stage failed its checks."""
    return _to("halt", RolloutState.HALTED, why)


def abort(why: str = "") -> Step:
    """Take every node back to `base`, for good."""
    return _to("abort", RolloutState.ABORTED, why)


def kill(base: int | None, at: int, why: str = "") -> Step:
    """Take every node to `base`, None for the base of the last rollout, in any state."""

    def step(rollout: Rollout | None) -> Rollout:
        if rollout is None or not rollout.in_force:
            to = base if base is not None else rollout.base if rollout else None
            if to is None:
                raise _refused(None, "name the revision to go back to")
            return replace(_new(rollout, RolloutState.KILLED, to, at), why=why)
        to = rollout.base if base is None else base
        return replace(rollout, state=RolloutState.KILLED, base=to, why=why)

    return step


def finish() -> Step:
    """Let every node serve the newest revision from now on."""
    return _to("finish", RolloutState.DONE)


def _to(name: str, state: RolloutState, why: str = "") -> Step:
    return lambda rollout: replace(_of(name, rollout), state=state, why=why)


def _of(name: str, rollout: Rollout | None) -> Rollout:
    """The rollout that a step is about."""
    required = " or ".join(state for state in RolloutState if state in _FROM[name])
    _check(name, rollout, f"this step needs one that is {required}")
    assert rollout is not None
    return rollout


def _check(name: str, rollout: Rollout | None, why: str) -> None:
    state = rollout.state if rollout else None
    if state not in _FROM[name]:
        raise _refused(state, why)


def _refused(state: RolloutState | None, why: str) -> RolloutConflict:
    rollout = f"the rollout is {state}" if state else "there is no rollout"
    return RolloutConflict(f"{rollout}: {why}")


def _new(before: Rollout | None, state: RolloutState, base: int, at: int) -> Rollout:
    return Rollout(before.number + 1 if before else 1, state, base, started_on=at)


def _position(node: str) -> int:
    """The position of a node from 0 to _WHOLE - 1, which depends on its name only."""
    return int.from_bytes(sha256(node.encode()).digest()[:8], "big") % _WHOLE


def _share(stage: str) -> int | None:
    """The share of a stage in hundredths of a per cent; None for a stage of colos."""
    match = _PER_CENT.fullmatch(stage)
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")) if match else None


def _problems(stages: tuple[str, ...], colos: Container[str]) -> Iterator[str]:
    if len(stages) > MAX_STAGES:
        yield f"{len(stages)} stages; the limit is {MAX_STAGES}"
    before = 0
    for stage in stages:
        share = _share(stage)
        if share is not None:
            if not before < share <= _WHOLE:
                yield f"{stage}: percentages must rise, from above 0% to 100%"
            before = share
    yield from _colo_problems([stage for stage in stages if _share(stage) is None], colos)
    if _share(stages[-1]) != _WHOLE:
        yield "the last stage must be 100%"


def _colo_problems(stages: list[str], colos: Container[str]) -> Iterator[str]:
    seen = set[str]()
    for stage in stages:
        if "%" in stage:
            yield f"{stage}: write a share of the nodes like 10% or 0.5%"
            continue
        for colo in stage.split("+"):
            if colo in seen:
                yield f"{colo or repr(colo)}: it is named twice"
            elif colo not in colos:
                yield f"{colo!r}: no such colo in the topology or on a node"
            seen.add(colo)
