"""Conducts a rollout: waits for each wave, looks at it, and releases the next or takes all back.

What is released is in the database alone. A conductor that is gone leaves the rollout at its wave,
and another one goes on from there.

    a node of a released wave does not take its revision, or goes away     halt: all go back
    the health command fails                                               halt: all go back
    no node of a wave reports, or one that reported no longer does         pause: somebody decides
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from originmap.cli.output.live_line import LiveLine
from originmap.client.server import ServerRefused
from originmap.domain.errors import OriginmapError
from originmap.domain.rollout.rollout import RolloutState
from originmap.rollout.health import Health
from originmap.rollout.rollouts import ServerRollouts
from originmap.service.feed.followers import SILENT_SECONDS
from originmap.service.rollout.rollout_json import RolloutJSON
from originmap.service.rollout.steps import MOST_WHY, Advance, Finish, Halt, Pause

_POLL_SECONDS = 0.25
_POLL_SECONDS_A_NODE = 0.0005
_NAMED = 5


class RolloutStopped(OriginmapError):
    """The rollout is over, and not at its end."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.hint = hint


class _Unwell(Exception):
    """A wave is not well; the text says why."""


class _Absent(Exception):
    """Nodes do not report; the text says which."""


@dataclass(frozen=True, slots=True)
class ConductorOptions:
    """How long a wave is looked at, how often, and how long its nodes may take; in seconds. `empty`
    names colos and waves in which no node need report, `lost` nodes that need not any more."""

    hold: float
    every: float
    patience: float
    health: Health | None
    empty: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()


@dataclass
class _Wave:
    """One wave while it is looked at. `nodes` are the names of those that are waited for."""

    number: int
    nodes: set[str]
    late_since: float | None = None
    paused: float = 0.0


class Conductor:
    """Conducts one rollout, to its end or until it is stopped."""

    def __init__(self, rollouts: ServerRollouts, wishes: ConductorOptions, line: LiveLine) -> None:
        self._rollouts = rollouts
        self._wishes = wishes
        self._line = line
        self._reported: set[str] = set()
        """Every node that was heard of since the rollout began."""

    def run(self, rollout: RolloutJSON) -> RolloutJSON:
        """Go on from where `rollout`, which is running, is. Returns it after its last wave: done,
        or running still where later changes wait. Raises RolloutStopped."""
        try:
            while True:
                wave = _Wave(rollout.released, _reachable(rollout))
                self._find(wave, rollout, rollout.released)
                self._settle(wave, rollout)
                self._hold(wave, rollout)
                self._settle(wave, rollout)
                following = rollout.released + 1
                self._find(wave, rollout, min(following, len(rollout.waves)))
                if following > len(rollout.waves):
                    return self._end(rollout)
                rollout = self._advance(rollout)
        except _Unwell as why:
            self._line.clear()
            self._take(Halt(str(why), number=rollout.number))
            raise RolloutStopped(
                f"halted in stage {rollout.released}: {why}. Every node goes back to revision "
                f"{rollout.base}",
                "originmap rollout status shows them; resume, abort or finish follows",
            ) from None
        except _Absent as why:
            self._line.clear()
            self._take(Pause(str(why), number=rollout.number))
            raise RolloutStopped(
                f"paused in stage {rollout.released}: {why}",
                "find out why they do not report, then: originmap rollout resume. To continue "
                "without them, add --allow-empty COLO or --allow-lost NODE",
            ) from None

    def _find(self, wave: _Wave, rollout: RolloutJSON, number: int) -> None:
        """Look whether nodes of wave `number` report, and all that did since the rollout began. A
        server that was just started is given the time to hear of them. Raises _Absent."""
        while True:
            now = self._look(wave, rollout)
            absent = "; ".join(self._absent(now, wave, number))
            if not absent:
                return
            if now.listening >= SILENT_SECONDS:
                raise _Absent(absent[:MOST_WHY])
            left = _clock(SILENT_SECONDS - now.listening)
            self._line.show(f"{absent}: the server waits for reports", f" {left}")
            time.sleep(_pause(now))

    def _absent(self, now: RolloutJSON, wave: _Wave, number: int) -> Iterator[str]:
        """Why wave `number` cannot be judged: nodes that are waited for already aside."""
        looked_at = now.waves[number - 1]
        if looked_at.wave not in self._wishes.empty:
            unheard = [name for name in looked_at.unheard if name not in self._wishes.empty]
            if unheard:
                yield f"no node of {', '.join(unheard)} reports (stage {number}: {looked_at.wave})"
        heard = {node.name for node in now.nodes if node.heard}
        lost = sorted(self._reported - heard - wave.nodes - self._wishes.lost)
        if lost:
            yield f"{_some(lost)} reported before, and no longer"

    def _settle(self, wave: _Wave, rollout: RolloutJSON) -> None:
        """Wait for the nodes of the wave."""
        while True:
            now = self._look(wave, rollout)
            if wave.late_since is None:
                return
            self._line.show(_counted(now, wave))
            time.sleep(_pause(now))

    def _hold(self, wave: _Wave, rollout: RolloutJSON) -> None:
        """Look at the wave for some time: at its begin, again and again, and at its end."""
        begun = time.monotonic()
        looked = self._check(rollout)
        while (left := begun + wave.paused + self._wishes.hold - time.monotonic()) > 0:
            now = self._look(wave, rollout)
            self._line.show(f"{_counted(now, wave)}, holding", f" {_clock(left)}")
            time.sleep(min(_pause(now), left))
            if time.monotonic() - looked >= self._wishes.every:
                looked = self._check(rollout)
        if self._wishes.hold > 0:
            self._look(wave, rollout)
            self._check(rollout)

    def _look(self, wave: _Wave, rollout: RolloutJSON) -> RolloutJSON:
        """How the rollout stands now, once it is not paused. Raises _Unwell where nodes are late,
        or no longer there, for longer than may be."""
        now = self._running(wave, rollout)
        wave.nodes |= _reachable(now)  # a server that was started again knows them by and by
        self._reported |= _reporting_since(rollout.started_on, now)
        late = [node for node in now.nodes if node.name in wave.nodes and not node.is_there]
        known = {node.name for node in now.nodes}
        unknown = sorted(wave.nodes - known)
        names = unknown + [node.name for node in late]
        if not names:
            wave.late_since = None
            return now
        moment = time.monotonic()
        forgot = bool(unknown) and now.listening < SILENT_SECONDS  # by a server that was restarted
        wave.late_since = moment if wave.late_since is None or forgot else wave.late_since
        if moment - wave.late_since > self._wishes.patience:
            said = next((f": {node.problem}" for node in late if node.problem), "")
            raise _Unwell(f"not on revision {rollout.target}: {_some(names)}{said}"[:MOST_WHY])
        return now

    def _running(self, wave: _Wave, rollout: RolloutJSON) -> RolloutJSON:
        """How the rollout stands; waits while it is paused. Raises RolloutStopped."""
        begun = time.monotonic()
        while True:
            now = self._rollouts.watch()
            if now is None or now.number != rollout.number:
                raise RolloutStopped(f"rollout {rollout.number} is no longer the last one", "")
            if now.state is RolloutState.RUNNING:
                return now
            if now.state is not RolloutState.PAUSED:
                why = f": {now.why}" if now.why else ""
                hint = "originmap rollout status shows it"
                raise RolloutStopped(f"somebody else has it {now.state}{why}", hint)
            self._line.show(f"paused in stage {now.released}")
            time.sleep(_pause(now))
            wave.paused, begun = wave.paused + time.monotonic() - begun, time.monotonic()
            wave.late_since = None

    def _check(self, rollout: RolloutJSON) -> float:
        """Run the health command; when that was. Raises _Unwell."""
        if self._wishes.health is not None:
            taken = [n for n in rollout.nodes if n.wave is not None and n.wave <= rollout.released]
            colos = sorted({node.colo for node in taken if node.colo})
            assert rollout.target is not None
            problem = self._wishes.health.problem(rollout.released, rollout.target, colos)
            if problem:
                raise _Unwell(problem)
        return time.monotonic()

    def _advance(self, rollout: RolloutJSON) -> RolloutJSON:
        """Release the next wave, unless somebody did."""
        wanted = rollout.released + 1
        try:
            now = self._take(Advance(wanted, number=rollout.number))
        except ServerRefused:
            now = self._running(_Wave(wanted, set()), rollout)
            if now.released < wanted:
                raise
        self._line.say(
            f"stage {wanted} of {len(now.waves)} ({now.waves[wanted - 1].wave}) released"
        )
        return now

    def _end(self, rollout: RolloutJSON) -> RolloutJSON:
        """Finish, unless that would let out what was changed meanwhile and is in no wave."""
        self._line.clear()
        while True:
            now = self._rollouts.watch()
            if now is None or now.number != rollout.number or now.later:
                return now or rollout
            try:
                return self._take(Finish(number=rollout.number, revision=now.revision))
            except ServerRefused:
                # Something was changed since it was looked at, or somebody else took a step.
                again = self._running(_Wave(rollout.released, set()), rollout)
                if again.revision == now.revision:
                    raise

    def _take(self, asked: Advance | Halt | Pause | Finish) -> RolloutJSON:
        shown = self._rollouts.take(asked)
        assert shown is not None
        return shown


def _reachable(rollout: RolloutJSON) -> set[str]:
    """The nodes of released waves that were heard of lately."""
    return {
        node.name
        for node in rollout.nodes
        if node.wave is not None and node.wave <= rollout.released and node.heard
    }


def _reporting_since(start: datetime, now: RolloutJSON) -> set[str]:
    """The nodes that were heard of when the rollout began, or later."""
    since = start - timedelta(seconds=SILENT_SECONDS)
    return {node.name for node in now.nodes if node.last_contact >= since}


def _some(names: Sequence[str]) -> str:
    """The first few of them."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _pause(now: RolloutJSON) -> float:
    """Seconds until the next look: each brings all nodes along."""
    return _POLL_SECONDS + _POLL_SECONDS_A_NODE * len(now.nodes)


def _counted(now: RolloutJSON, wave: _Wave) -> str:
    there = sum(node.name in wave.nodes and node.is_there for node in now.nodes)
    name = now.waves[wave.number - 1].wave
    return (
        f"stage {wave.number} of {len(now.waves)} ({name}): {there} of {len(wave.nodes)} nodes on "
        f"revision {now.target}"
    )


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
