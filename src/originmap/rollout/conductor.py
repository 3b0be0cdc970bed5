"""Conducts a rollout: waits for the nodes of each stage, checks their health, and releases the next
stage or halts the rollout.

The state of the rollout is in the database only. If a conductor stops, the rollout stays at its
stage, and another conductor can continue.

    a node of a released stage does not reach the target in time, or is lost    halt: roll back
    the health command fails                                                    halt: roll back
    a stage has no reporting nodes, or a node stopped reporting                 pause
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from originmap.client.server import ServerRefused
from originmap.domain.errors import OriginmapError
from originmap.domain.rollout.rollout import RolloutState
from originmap.rollout.health import Health
from originmap.rollout.rollouts import ServerRollouts
from originmap.service.feed.followers import SILENT_SECONDS
from originmap.service.rollout.rollout_json import NodeJSON, RolloutJSON
from originmap.service.rollout.steps import MOST_WHY, Advance, Finish, Halt, Pause

_POLL_SECONDS = 0.25
_POLL_SECONDS_A_NODE = 0.0005
_NAMED = 5


class StatusLine(Protocol):
    """Displays the progress of a rollout."""

    def show(self, text: str, time: str = "") -> None:
        """Replace the status."""

    def say(self, text: str) -> None:
        """Print a line that stays."""

    def clear(self) -> None:
        """Remove the status."""


class RolloutStopped(OriginmapError):
    """The rollout was stopped before its end."""

    page = "rollout.md"

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.hint = hint


class _Unwell(Exception):
    """A stage failed its checks; the message says why."""


class _Absent(Exception):
    """Nodes do not report; the message says which."""


@dataclass(frozen=True, slots=True)
class ConductorOptions:
    """Durations in seconds: `hold` is the time that a stage is watched, `every` the interval of
    its health checks, `patience` the timeout for its nodes. `empty` are colos and stages that can
    be without reporting nodes, `lost` are nodes that need not report."""

    hold: float
    every: float
    patience: float
    health: Health | None
    empty: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()


@dataclass
class _Stage:
    """A released stage. `nodes` are the names of the nodes that must reach the target."""

    number: int
    nodes: set[str]
    late_since: float | None = None
    paused: float = 0.0


class Conductor:
    """Conducts one rollout, to its end or until it is stopped."""

    def __init__(
        self, rollouts: ServerRollouts, options: ConductorOptions, line: StatusLine
    ) -> None:
        self._rollouts = rollouts
        self._options = options
        self._line = line
        self._reported: set[str] = set()
        """All nodes that have reported since the start of the rollout."""

    def run(self, rollout: RolloutJSON) -> RolloutJSON:
        """Continue with the running `rollout`. Returns it after its last stage: done, or running
        if there are changes after its target. Raises RolloutStopped."""
        try:
            while True:
                stage = _Stage(rollout.released, _reachable(rollout))
                self._await_reports(stage, rollout, rollout.released)
                self._await_nodes(stage, rollout)
                self._hold(stage, rollout)
                self._await_nodes(stage, rollout)
                following = rollout.released + 1
                self._await_reports(stage, rollout, min(following, len(rollout.stages)))
                if following > len(rollout.stages):
                    return self._end(rollout)
                rollout = self._advance(rollout)
        except _Unwell as why:
            self._line.clear()
            self._take(Halt(str(why), number=rollout.number))
            raise RolloutStopped(
                f"halted in stage {rollout.released}: {why}. Every node goes back to revision "
                f"{rollout.base}",
                "run originmap rollout status to see the nodes; then resume, abort or finish it",
            ) from None
        except _Absent as why:
            self._line.clear()
            self._take(Pause(str(why), number=rollout.number))
            raise RolloutStopped(
                f"paused in stage {rollout.released}: {why}",
                "find out why they do not report, then run originmap rollout resume. To continue "
                "without them, use --allow-empty COLO or --allow-lost NODE",
            ) from None

    def _await_reports(self, stage: _Stage, rollout: RolloutJSON, number: int) -> None:
        """Check that stage `number` has reporting nodes, and that every node that has reported
        since the start still does. Waits if the server has just started. Raises _Absent."""
        while True:
            now = self._poll(stage, rollout)
            absent = "; ".join(self._absent(now, stage, number))
            if not absent:
                return
            if now.listening >= SILENT_SECONDS:
                raise _Absent(absent[:MOST_WHY])
            left = _clock(SILENT_SECONDS - now.listening)
            self._line.show(f"{absent}: the server waits for reports", f" {left}")
            time.sleep(_pause(now))

    def _absent(self, now: RolloutJSON, stage: _Stage, number: int) -> Iterator[str]:
        """The reasons why stage `number` cannot be checked. Nodes of released stages are not among
        them, because `_poll` waits for those."""
        checked = now.stages[number - 1]
        if checked.takes not in self._options.empty:
            empty = [name for name in checked.unheard if name not in self._options.empty]
            if empty:
                yield f"no node of {', '.join(empty)} reports (stage {number}: {checked.takes})"
        reporting = {node.name for node in now.nodes if node.heard}
        lost = sorted(self._reported - reporting - stage.nodes - self._options.lost)
        if lost:
            yield f"no longer reporting: {_some(lost)}"

    def _await_nodes(self, stage: _Stage, rollout: RolloutJSON) -> None:
        """Wait until the nodes of the stage are at the target."""
        while True:
            now = self._poll(stage, rollout)
            if stage.late_since is None:
                return
            self._line.show(_counted(now, stage))
            time.sleep(_pause(now))

    def _hold(self, stage: _Stage, rollout: RolloutJSON) -> None:
        """Watch the stage for the hold time, with health checks at its start, at intervals, and at
        its end."""
        begun = time.monotonic()
        checked = self._check(rollout)
        while (left := begun + stage.paused + self._options.hold - time.monotonic()) > 0:
            now = self._poll(stage, rollout)
            self._line.show(f"{_counted(now, stage)}, holding", f" {_clock(left)}")
            time.sleep(min(_pause(now), left))
            if time.monotonic() - checked >= self._options.every:
                checked = self._check(rollout)
        if self._options.hold > 0:
            self._poll(stage, rollout)
            self._check(rollout)

    def _poll(self, stage: _Stage, rollout: RolloutJSON) -> RolloutJSON:
        """The current rollout; waits while it is paused. Raises _Unwell if nodes are late or lost
        for longer than the timeout."""
        now = self._running(stage, rollout)
        stage.nodes |= _reachable(now)  # after a restart the server hears of them one by one
        self._reported |= _reporting_since(rollout.started_on, now)
        late = [node for node in now.nodes if node.name in stage.nodes and not node.is_there]
        listed = {node.name for node in now.nodes}
        missing = sorted(stage.nodes - listed)
        names = missing + [node.name for node in late]
        if not names:
            stage.late_since = None
            return now
        moment = time.monotonic()
        restarted = bool(missing) and now.listening < SILENT_SECONDS
        stage.late_since = moment if stage.late_since is None or restarted else stage.late_since
        if moment - stage.late_since > self._options.patience:
            problem = next((f": {node.problem}" for node in late if node.problem), "")
            raise _Unwell(f"not on revision {rollout.target}: {_some(names)}{problem}"[:MOST_WHY])
        return now

    def _running(self, stage: _Stage, rollout: RolloutJSON) -> RolloutJSON:
        """The current rollout; waits while it is paused. Raises RolloutStopped."""
        begun = time.monotonic()
        while True:
            now = self._rollouts.watch()
            if now is None or now.number != rollout.number:
                raise RolloutStopped(f"rollout {rollout.number} was replaced by another one", "")
            if now.state is RolloutState.RUNNING:
                return now
            if now.state is not RolloutState.PAUSED:
                why = f": {now.why}" if now.why else ""
                hint = "run originmap rollout status to see it"
                raise RolloutStopped(f"another operator set the rollout to {now.state}{why}", hint)
            self._line.show(f"paused in stage {now.released}")
            time.sleep(_pause(now))
            stage.paused, begun = stage.paused + time.monotonic() - begun, time.monotonic()
            stage.late_since = None

    def _check(self, rollout: RolloutJSON) -> float:
        """Run the health command, and return the time after it. Raises _Unwell."""
        if self._options.health is not None:
            nodes = (node for node in rollout.nodes if _is_released(node, rollout))
            colos = sorted({node.colo for node in nodes if node.colo})
            assert rollout.target is not None
            problem = self._options.health.problem(rollout.released, rollout.target, colos)
            if problem:
                raise _Unwell(problem)
        return time.monotonic()

    def _advance(self, rollout: RolloutJSON) -> RolloutJSON:
        """Release the next stage, unless another operator already has."""
        following = rollout.released + 1
        try:
            now = self._take(Advance(following, number=rollout.number))
        except ServerRefused:
            now = self._running(_Stage(following, set()), rollout)
            if now.released < following:
                raise
        takes = now.stages[following - 1].takes
        self._line.say(f"stage {following} of {len(now.stages)} ({takes}) released")
        return now

    def _end(self, rollout: RolloutJSON) -> RolloutJSON:
        """Finish, unless that would release changes after the target, which are in no stage."""
        self._line.clear()
        while True:
            now = self._rollouts.watch()
            if now is None or now.number != rollout.number or now.later:
                return now or rollout
            try:
                return self._take(Finish(number=rollout.number, revision=now.revision))
            except ServerRefused:
                # There was a change since the poll, or another operator took a step.
                again = self._running(_Stage(rollout.released, set()), rollout)
                if again.revision == now.revision:
                    raise

    def _take(self, step: Advance | Halt | Pause | Finish) -> RolloutJSON:
        rollout = self._rollouts.take(step)
        assert rollout is not None
        return rollout


def _reachable(rollout: RolloutJSON) -> set[str]:
    """The nodes of released stages that are reporting."""
    return {node.name for node in rollout.nodes if _is_released(node, rollout) and node.heard}


def _is_released(node: NodeJSON, rollout: RolloutJSON) -> bool:
    return node.stage is not None and node.stage <= rollout.released


def _reporting_since(start: datetime, now: RolloutJSON) -> set[str]:
    """The nodes that have reported since shortly before the start of the rollout."""
    since = start - timedelta(seconds=SILENT_SECONDS)
    return {node.name for node in now.nodes if node.last_contact >= since}


def _some(names: Sequence[str]) -> str:
    """A text with the first few names."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _pause(now: RolloutJSON) -> float:
    """Seconds until the next poll. The interval grows with the number of nodes, because each
    response contains all of them."""
    return _POLL_SECONDS + _POLL_SECONDS_A_NODE * len(now.nodes)


def _counted(now: RolloutJSON, stage: _Stage) -> str:
    there = sum(node.name in stage.nodes and node.is_there for node in now.nodes)
    name = now.stages[stage.number - 1].takes
    return (
        f"stage {stage.number} of {len(now.stages)} ({name}): {there} of {len(stage.nodes)} nodes"
        f" on revision {now.target}"
    )


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
