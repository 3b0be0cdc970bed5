"""How a conductor handles nodes that do not report, with real services over a store in memory and a
clock that the tests set.
"""

import asyncio
import io
from collections.abc import Callable

import pytest

from originmap import data
from originmap.cli.output.live_line import LiveLine
from originmap.client.server import ServerRefused
from originmap.domain.errors import OriginmapError
from originmap.domain.history.change import Cause
from originmap.domain.history.record import Key, Kind, RecordChange, RecordDecision, Value
from originmap.domain.rollout.rollout import RolloutState
from originmap.domain.tier.latency import Latencies
from originmap.domain.zone.zone import Account
from originmap.rollout.conductor import Conductor, ConductorOptions, RolloutStopped
from originmap.rollout.rollouts import ServerRollouts
from originmap.service.feed.followers import Followers, Report
from originmap.service.rollout.rollout_json import RolloutJSON
from originmap.service.rollout.rollouts import Rollouts
from originmap.service.rollout.steps import Hold, Resume, RolloutRequest, Start
from originmap.service.tier.topology import Topologies
from originmap.store.memory import MemoryStore

VALUES: dict[Kind, Value] = {
    Kind.LATENCIES: Latencies(),
    Kind.ACCOUNT: Account("a" * 32, "somebody", 0),
}
CAUSE = Cause("token", "192.0.2.9", "request")
SECOND = 1_000_000


class World:
    """A primary. Each poll by the conductor takes some seconds; then the nodes of `alive`, by name,
    report from their colos and serve the allowed revision.
    """

    def __init__(self) -> None:
        self.at = 1_000 * SECOND
        self.alive: dict[str, str] = {}
        self.seconds = 1
        self.on_look: Callable[[RolloutJSON], None] = lambda shown: None
        self.looks = 0
        self._store = MemoryStore(self.now)
        self._written: dict[Key, Value] = {}
        self.restart()

    def now(self) -> int:
        return self.at

    def restart(self) -> None:
        """Restart the server, which then knows no node."""
        self.followers = Followers(self._store, self.now)
        topologies = Topologies(self._store, data.catalogue, data.topology(), self.now)
        self.rollouts = Rollouts(self._store, self.followers, topologies, self.now)

    def change(self) -> None:
        """Change data that nodes serve."""
        asyncio.run(self._write(Kind.LATENCIES))

    def note(self) -> None:
        """Change data that nodes do not serve."""
        asyncio.run(self._write(Kind.ACCOUNT))

    async def _write(self, kind: Kind) -> None:
        """Create or delete a record."""
        key = Key(kind, VALUES[kind].id)
        before = self._written.pop(key, None)
        if before is None:
            self._written[key] = VALUES[kind]
        change = RecordChange(key, before, self._written.get(key))
        await self._store.write_records(lambda _: RecordDecision((change,), None), CAUSE)

    def start(self, stages: str) -> RolloutJSON:
        """A rollout of one change, started after every node has reported to the server."""
        self.take(Hold())
        self.change()
        self.at += 100 * SECOND
        self._report()
        return self.take(Start(stages))

    def take(self, asked: RolloutRequest) -> RolloutJSON:
        asyncio.run(self.rollouts.take(asked, CAUSE))
        return self.shown()

    def shown(self) -> RolloutJSON:
        shown = asyncio.run(self.rollouts.status())
        assert shown is not None
        return shown

    def _report(self) -> None:
        nodes = {}
        if self.rollouts.current is not None:
            for name, colo in self.alive.items():
                self.followers.reported(name, "t", "c", Report(1, "nginx", None, "", colo))
            nodes = {node.name: node.allowed for node in self.shown().nodes}
        for name, colo in self.alive.items():
            self.followers.reported(name, "t", "c", Report(1, "nginx", nodes.get(name), "", colo))

    def take_step(self, step: RolloutRequest) -> RolloutJSON:
        """The conductor's step, carried out by the server."""
        try:
            return self.take(step)
        except OriginmapError as error:
            raise ServerRefused(str(error), "") from error

    def watch(self) -> RolloutJSON:
        """The state of the rollout for the conductor."""
        self.looks += 1
        self.at += self.seconds * SECOND
        self._report()
        shown = self.shown()
        self.on_look(shown)
        return shown

    def conduct(
        self, started: RolloutJSON, empty: tuple[str, ...] = (), lost: tuple[str, ...] = ()
    ) -> RolloutJSON:
        wishes = ConductorOptions(0, 30, 120, None, frozenset(empty), frozenset(lost))
        return Conductor(Asked(self), wishes, LiveLine(io.StringIO())).run(started)

    def stops(self, started: RolloutJSON, empty: tuple[str, ...] = ()) -> str:
        """The reason why the conductor stops."""
        with pytest.raises(RolloutStopped) as stopped:
            self.conduct(started, empty)
        return str(stopped.value)


class Asked(ServerRollouts):
    """The client for rollouts, without a server."""

    def __init__(self, world: World) -> None:
        self._world = world

    def take(self, step: RolloutRequest) -> RolloutJSON | None:
        return self._world.take_step(step)

    def watch(self) -> RolloutJSON | None:
        return self._world.watch()


@pytest.fixture
def world() -> World:
    return World()


def test_a_rollout_without_nodes_stops_in_its_first_stage(world: World) -> None:
    started = world.start("SIN,FRA,100%")
    said = world.stops(started)
    assert "no node of SIN reports (stage 1: SIN)" in said
    shown = world.shown()
    assert (shown.state, shown.released) == (RolloutState.PAUSED, 1)
    assert shown.why == "no node of SIN reports (stage 1: SIN)"


def test_a_later_stage_without_a_node_is_not_released(world: World) -> None:
    world.alive = {"sin-1": "SIN"}
    started = world.start("SIN,FRA+IAD,100%")
    assert "no node of FRA, IAD reports" in world.stops(started)
    assert (world.shown().state, world.shown().released) == (RolloutState.PAUSED, 1)


def test_an_empty_stage_is_released_only_if_it_is_named(world: World) -> None:
    world.alive = {"sin-1": "SIN"}
    started = world.start("SIN,FRA,0.01%,100%")
    assert "no node of 0.01% reports" in world.stops(started, ("FRA",))
    assert world.conduct(world.take(Resume()), ("FRA", "0.01%")).state is RolloutState.DONE


def test_a_stage_whose_nodes_belong_to_earlier_stages_is_not_empty(world: World) -> None:
    world.alive = {"sin-1": "SIN", "fra-1": "FRA"}
    assert world.conduct(world.start("SIN,FRA,100%")).state is RolloutState.DONE


def test_named_stages_may_be_empty(world: World) -> None:
    ended = world.conduct(world.start("SIN,FRA,100%"), ("SIN", "FRA", "100%"))
    assert ended.state is RolloutState.DONE


def test_a_stage_waits_after_a_restart_until_its_nodes_have_reported(world: World) -> None:
    world.alive = {"sin-1": "SIN"}
    started = world.start("SIN,100%")
    alive, world.alive = world.alive, {}
    world.restart()
    back = world.at + 60 * SECOND
    world.seconds = 20

    def nodes_come_back(shown: RolloutJSON) -> None:
        if world.at >= back:
            world.alive = alive

    world.on_look = nodes_come_back
    assert world.conduct(started).state is RolloutState.DONE
    assert world.at >= back


def test_a_node_that_no_longer_reports_stops_the_next_stage(world: World) -> None:
    world.alive = {"sin-1": "SIN", "fra-1": "FRA", "fra-2": "FRA"}
    started = world.start("SIN,FRA,100%")
    del world.alive["fra-2"]
    world.seconds = 60
    world.at += 60 * SECOND
    assert "no longer reporting: fra-2" in world.stops(started)
    assert (world.shown().state, world.shown().released) == (RolloutState.PAUSED, 1)


def test_a_lost_node_is_accepted_if_it_is_named(world: World) -> None:
    world.alive = {"sin-1": "SIN", "fra-1": "FRA", "fra-2": "FRA"}
    started = world.start("SIN,FRA,100%")
    del world.alive["fra-2"]
    world.at += 100 * SECOND
    assert world.conduct(started, lost=("fra-2",)).state is RolloutState.DONE


def test_a_node_lost_during_a_restart_of_the_server_is_detected(world: World) -> None:
    world.alive = {"sin-1": "SIN", "fra-1": "FRA", "fra-2": "FRA"}
    started = world.start("SIN,FRA,100%")
    world.seconds = 40

    def restart(shown: RolloutJSON) -> None:
        if "fra-2" in world.alive:
            del world.alive["fra-2"]
            world.restart()

    world.on_look = restart
    assert "no longer reporting: fra-2" in world.stops(started)


def test_changes_after_the_last_check_are_not_released(world: World) -> None:
    world.alive = {"sin-1": "SIN"}
    started = world.start("100%")
    take = world.take_step

    def change_first(step: RolloutRequest) -> RolloutJSON:
        if world.shown().later == 0:
            world.change()  # between the last poll and the step
        return take(step)

    world.take_step = change_first  # type: ignore[method-assign]
    ended = world.conduct(started)
    assert (ended.state, ended.later) == (RolloutState.RUNNING, 1)


def test_changes_that_no_node_serves_do_not_keep_a_rollout_open(world: World) -> None:
    world.alive = {"sin-1": "SIN"}
    started = world.start("100%")
    take, notes = world.take_step, iter((1, 2))

    def note_first(step: RolloutRequest) -> RolloutJSON:
        if next(notes, None):
            world.note()
        return take(step)

    world.take_step = note_first  # type: ignore[method-assign]
    assert world.conduct(started).state is RolloutState.DONE
