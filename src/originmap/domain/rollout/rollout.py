"""A rollout: changes that reach the caches' nodes in waves, instead of everywhere at once.

Owns which revision a node may serve, and how a rollout goes from state to state. The steps are
pure functions from the rollout there is, or None, to the one there shall be; `domain.rollout.rules`
makes them changes of the record. Every node decides by its own copy of that.

    step     from                         to
    hold     none, done                   held      nodes stay at `base`
    start    all but running and paused   running   the first wave goes to `target`
    advance  running                      running   the next wave does
    pause    running                      paused    every node stays where it is
    resume   paused, halted               running   its waves are at `target` (again)
    halt     running, paused              halted    every node goes back to `base`
    abort    running, paused, halted      aborted   the same, for good
    kill     any                          killed    the same, from anywhere
    finish   all but done                 done      every node goes to the newest revision
"""

import re
from collections.abc import Callable, Collection, Container, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256

from originmap.domain.errors import InvalidQuery, RolloutConflict

MAX_WAVES = 20
_PER_CENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?%")
_WHOLE = 10_000
"""Parts that the nodes are cut into: a hundredth of a per cent each."""


class RolloutState(StrEnum):
    """How a rollout stands."""

    HELD = "held"
    RUNNING = "running"
    PAUSED = "paused"
    HALTED = "halted"  # a wave was not well
    ABORTED = "aborted"  # somebody decided against it
    KILLED = "killed"  # somebody pulled the brake
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Rollout:
    """The last rollout of a database. What lies between `base` and `target` is released to the
    first `released` of the `waves`; times are in microseconds since 1970 UTC.

    A wave is one colo or several, as in "SIN+FRA", or a part of all nodes, as in "10%". It takes
    its nodes in addition to those of the waves before it; the last one is "100%".
    """

    number: int  # the first rollout of a database is 1
    state: RolloutState
    base: int
    target: int | None = None  # None as long as the changes are only held
    waves: tuple[str, ...] = ()
    released: int = 0
    why: str = ""  # what whoever changed the state last said of it
    by: str = ""  # that one's credential
    started_on: int = 0
    changed_on: int = 0

    @property
    def id(self) -> str:
        """There is one rollout in a database: the last."""
        return "rollout"

    @property
    def in_force(self) -> bool:
        """Whether it keeps any node from the newest revision."""
        return self.state is not RolloutState.DONE

    @property
    def releasing(self) -> bool:
        """Whether the nodes of released waves are at `target`."""
        return self.state in (RolloutState.RUNNING, RolloutState.PAUSED)


Step = Callable[[Rollout | None], Rollout]
"""Raises RolloutConflict where the rollout is in no state for it."""


def allowed(rollout: Rollout | None, node: str | None, colo: str) -> int | None:
    """The revision that a node is to serve; None for the newest there is. A node that has not
    got that far serves the newest that it has. One whose name is not given is in no part of all
    nodes but the whole."""
    if rollout is None or not rollout.in_force:
        return None
    if rollout.releasing and wave_of(rollout.waves, node, colo) < rollout.released:
        return rollout.target
    return rollout.base


@lru_cache(maxsize=20_000)
def wave_of(waves: tuple[str, ...], node: str | None, colo: str) -> int:
    """Which wave takes a node, from 0 on: the first that names its colo, or whose part of all
    nodes it is in. That depends on nothing but its name and colo, so it is the same everywhere
    and whatever other nodes there are."""
    place = _WHOLE - 1 if node is None else _place(node)
    for index, wave in enumerate(waves):
        part = _part(wave)
        if colo in wave.split("+") if part is None else place < part:
            return index
    return len(waves)


def unheard(wave: str, nodes: Collection[tuple[str, str]]) -> tuple[str, ...]:
    """What a stage names that none of the nodes, each a name and a colo, is in: colos, or the part
    itself. Nodes that earlier stages took count too."""
    part = _part(wave)
    if part is not None:
        return () if any(_place(name) < part for name, _ in nodes) else (wave,)
    colos = {colo for _, colo in nodes}
    return tuple(colo for colo in wave.split("+") if colo not in colos)


def parse_waves(text: str, colos: Container[str]) -> tuple[str, ...]:
    """The waves that "SIN,1%,10%,100%" stands for; `colos` are those that can be named. Raises
    InvalidQuery with everything wrong."""
    waves = tuple(wave.strip().upper() for wave in text.split(","))
    problems = list(_problems(waves, colos))
    if problems:
        raise InvalidQuery(f"waves: {'; '.join(problems)}")
    return waves


def hold(base: int, at: int) -> Step:
    """Keep every node at revision `base` from now on."""

    def step(rollout: Rollout | None) -> Rollout:
        if rollout is not None and rollout.in_force:
            raise _refused(rollout.state, "finish it before another one")
        return _new(rollout, RolloutState.HELD, base, at)

    return step


def start(waves: tuple[str, ...], base: int | None, target: int, at: int) -> Step:
    """Release what lies between `base`, None for where the nodes are held, and `target` to the
    first wave."""

    def step(rollout: Rollout | None) -> Rollout:
        held = rollout is not None and rollout.in_force
        if rollout is not None and rollout.releasing:
            raise _refused(rollout.state, "finish or abort it before another one")
        since = base if base is not None else rollout.base if rollout and held else None
        if since is None:
            raise _refused(None, "hold the nodes, make the changes, then start")
        if since >= target:
            raise RolloutConflict(f"nothing was changed after revision {since}")
        fresh = _new(rollout, RolloutState.RUNNING, since, at)
        if rollout is not None and rollout.state is RolloutState.HELD:
            fresh = replace(fresh, number=rollout.number)
        return replace(fresh, target=target, waves=waves, released=1)

    return step


def advance(to: int | None = None) -> Step:
    """Release the next wave; that is an error unless it is wave `to`, counted from 1, where that
    is given."""

    def step(rollout: Rollout | None) -> Rollout:
        found = _in(rollout, RolloutState.RUNNING)
        if found.released >= len(found.waves):
            raise _refused(found.state, "every wave is released; finish it")
        if to not in (None, found.released + 1):
            raise _refused(found.state, f"the next wave is {found.released + 1}, not {to}")
        return replace(found, released=found.released + 1)

    return step


def pause(why: str = "") -> Step:
    """Leave every node where it is."""
    return _to(RolloutState.PAUSED, why, RolloutState.RUNNING)


def resume() -> Step:
    """Go on with the wave that was the last; after a halt its nodes, and those of the waves
    before it, take `target` again."""
    return _to(RolloutState.RUNNING, "", RolloutState.PAUSED, RolloutState.HALTED)


def halt(why: str) -> Step:
    """Take every node back to `base`, because a wave is not well."""
    return _to(RolloutState.HALTED, why, RolloutState.RUNNING, RolloutState.PAUSED)


def abort(why: str = "") -> Step:
    """Take every node back to `base`, for good."""
    stopped = (RolloutState.RUNNING, RolloutState.PAUSED, RolloutState.HALTED)
    return _to(RolloutState.ABORTED, why, *stopped)


def kill(base: int | None, at: int, why: str = "") -> Step:
    """Take every node to `base`, None for the base of the last rollout, whatever its state."""

    def step(rollout: Rollout | None) -> Rollout:
        if rollout is None or not rollout.in_force:
            to = base if base is not None else rollout.base if rollout else None
            if to is None:
                raise _refused(None, "say which revision to go back to")
            return replace(_new(rollout, RolloutState.KILLED, to, at), why=why)
        to = rollout.base if base is None else base
        return replace(rollout, state=RolloutState.KILLED, base=to, why=why)

    return step


def finish() -> Step:
    """Let every node have the newest revision from now on."""
    return _to(RolloutState.DONE, "", *(state for state in RolloutState if state != "done"))


def _to(state: RolloutState, why: str, *before: RolloutState) -> Step:
    return lambda rollout: replace(_in(rollout, *before), state=state, why=why)


def _in(rollout: Rollout | None, *states: RolloutState) -> Rollout:
    if rollout is None or rollout.state not in states:
        wanted = " or ".join(states)
        raise _refused(rollout.state if rollout else None, f"it would have to be {wanted}")
    return rollout


def _refused(state: RolloutState | None, why: str) -> RolloutConflict:
    return RolloutConflict(f"the rollout is {state}: {why}" if state else f"no rollout: {why}")


def _new(before: Rollout | None, state: RolloutState, base: int, at: int) -> Rollout:
    return Rollout(before.number + 1 if before else 1, state, base, started_on=at)


def _place(node: str) -> int:
    """Where a node stands among the _WHOLE parts of all nodes, by its name alone."""
    return int.from_bytes(sha256(node.encode()).digest()[:8], "big") % _WHOLE


def _part(wave: str) -> int | None:
    """How much of the whole a wave is; None for one of colos."""
    found = _PER_CENT.fullmatch(wave)
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else None


def _problems(waves: tuple[str, ...], colos: Container[str]) -> Iterator[str]:
    if len(waves) > MAX_WAVES:
        yield f"more than {MAX_WAVES} waves"
    before = 0
    for wave in waves:
        part = _part(wave)
        if part is not None:
            if not before < part <= _WHOLE:
                yield f"{wave}: per cents rise, from above 0% to 100%"
            before = part
    yield from _colo_problems([wave for wave in waves if _part(wave) is None], colos)
    if _part(waves[-1]) != _WHOLE:
        yield "the last wave must be 100%"


def _colo_problems(waves: list[str], colos: Container[str]) -> Iterator[str]:
    seen = set[str]()
    for wave in waves:
        if "%" in wave:
            yield f"{wave}: a part of the nodes is written like 10% or 0.5%"
            continue
        for colo in wave.split("+"):
            if colo in seen:
                yield f"{colo or repr(colo)}: it is named twice"
            elif colo not in colos:
                yield f"{colo!r}: neither the topology nor a node has such a colo"
            seen.add(colo)
