"""When the agent updates its caches."""

import asyncio
from pathlib import Path

from originmap import data
from originmap.domain.mapping import mapping
from originmap.domain.rollout import rollout
from originmap.domain.rollout.rollout import Step, allowed
from originmap.domain.rollout.rules import take
from originmap.edge.agent import Agent
from originmap.edge.pace import Pace
from originmap.edge.record import ApplyRecord
from originmap.edge.renderer import FilesOf, Rendered, Renderer, Standpoint
from originmap.edge.target import ApplyOutcome, Duty, Target
from originmap.export.endpoint import Endpoints
from originmap.export.formats import format_called
from originmap.service.rollout.current_rollout import CurrentRollout
from originmap.service.rollout.past_state import snapshot_since
from originmap.store.clock import monotonic_clock
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, new_zone
from tests.waiting import until

NODE, COLO = "sin-1", "SIN"


class SlowRenderer(Renderer):
    """A renderer that a test can pause at its next rendering."""

    def __init__(self, store: MemoryStore) -> None:
        standpoint = Standpoint(NODE, COLO, (), Endpoints())
        super().__init__(store, standpoint, data.catalogue(), data.topology(), lambda: 1)
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()
        self.may_end.set()

    async def render(self, files_of: FilesOf, *, update: bool = False) -> Rendered:
        rendered = await super().render(files_of, update=update)
        self.begun.set()
        await self.may_end.wait()
        return rendered


class World:
    """A primary, and the agent of a node with a replica."""

    def __init__(self, folder: Path) -> None:
        self.primary, self.replica = MemoryStore(), MemoryStore()
        self.renderer = SlowRenderer(self.replica)
        record = ApplyRecord(folder / "json.json")
        target = Target(Duty(format_called("json"), folder / "file"), None, record, {})
        self._current = CurrentRollout(self.replica)
        self.reported: list[int | None] = []
        self._told = asyncio.Event()
        self.agent = Agent(
            self.replica,
            self.renderer,
            [target],
            Pace(0.0, 1e9),
            self._note,
            lambda: allowed(self._current.rollout, NODE, COLO),
            lambda: 1,
            lambda: monotonic_clock() / 1e6,
        )

    async def begin(self) -> None:
        await self.primary.write_records(new_zone(), CAUSE)
        await self.replica.load(self.primary.snapshot())

    async def hold(self) -> int:
        """Hold the node at its revision; returns the revision."""
        base = self.primary.revision
        await self.step(rollout.hold(base, 5))
        return base

    async def step(self, step: Step) -> None:
        await self.primary.write_records(take(step, "me", 5), CAUSE)
        await self.pass_on()

    async def put(self, place: mapping.Place) -> int:
        address = ip("192.0.2.1")
        done = await self.primary.write(ZONE_ID, [address], mapping.put(address, place), CAUSE)
        await self.pass_on()
        return done.revision

    async def pass_on(self) -> None:
        await self.replica.apply(await self.primary.changes(self.replica.revision, 100))

    async def reports(self, *revisions: int) -> None:
        """Wait until these are the last served revisions."""
        async with asyncio.timeout(30):
            while self.reported[-len(revisions) :] != list(revisions):
                self._told.clear()
                await self._told.wait()

    def _note(self, applied: int | None, problem: str) -> None:
        self.reported.append(applied)
        self._told.set()


async def test_a_node_that_a_rollout_reverts_while_it_renders_reverts(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.begin()
    await world.put(US_EAST)
    base = await world.hold()
    target = await world.put(US_WEST)
    running = asyncio.create_task(world.agent.run())
    await world.reports(base)

    world.renderer.may_end.clear()
    world.renderer.begun.clear()
    await world.step(rollout.start((COLO, "100%"), None, target, 6))
    await world.renderer.begun.wait()
    await world.step(rollout.kill(None, 7))
    world.renderer.may_end.set()
    await world.reports(target, base)
    world.agent.stop()
    await running


async def test_another_database_is_rendered_even_at_the_same_held_revision(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    await world.begin()
    await world.put(US_EAST)
    base = await world.hold()
    running = asyncio.create_task(world.agent.run())
    await world.reports(base)

    world.primary = MemoryStore()
    await world.primary.write_records(new_zone(), CAUSE)
    address = ip("198.51.100.1")
    await world.primary.write(ZONE_ID, [address], mapping.put(address, US_WEST), CAUSE)
    assert world.primary.revision == base
    await world.primary.write_records(take(rollout.hold(base, 5), "me", 5), CAUSE)
    await world.replica.load(snapshot_since(world.primary, base))
    await world.reports(base, base)
    assert "198.51.100.1" in (tmp_path / "file").read_text()
    world.agent.stop()
    await running


async def test_a_restored_database_is_rendered_at_the_same_revision_and_after_it(
    tmp_path: Path,
) -> None:
    world, zones = World(tmp_path), [letter * 32 for letter in "abcde"]
    for zone_id in zones:
        await world.primary.write_records(new_zone(zone_id, f"{zone_id[0]}.example"), CAUSE)
    await world.begin()
    restored = MemoryStore()
    await restored.load(world.primary.snapshot(history=True))
    running = asyncio.create_task(world.agent.run())
    await _write(world.primary, zones[0], "198.51.100.1")
    await world.pass_on()
    await world.reports(world.replica.revision)

    await _write(restored, zones[0], "198.51.100.2")
    assert restored.revision == world.replica.revision
    await world.replica.load(restored.snapshot(history=True))
    file = tmp_path / "file"
    await until(lambda: "198.51.100.2" in file.read_text())
    assert "198.51.100.1" not in file.read_text()

    await _write(restored, zones[1], "198.51.100.4")
    await world.replica.load(restored.snapshot(history=True))
    await until(lambda: "198.51.100.4" in file.read_text())
    assert "198.51.100.2" in file.read_text()
    world.agent.stop()
    await running


async def _write(store: MemoryStore, zone_id: str, text: str) -> None:
    await store.write(zone_id, [ip(text)], mapping.put(ip(text), US_EAST), CAUSE)


async def test_a_revision_of_another_database_is_not_reported_as_applied(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    await world.begin()
    assert list((await world.agent.update()).values()) == [ApplyOutcome.WRITTEN]
    (tmp_path / "file").unlink()
    (tmp_path / "file").mkdir()
    other = MemoryStore()
    await other.write_records(new_zone(), CAUSE)
    await world.replica.load(other.snapshot())
    assert await world.agent.update() == {}
    assert world.reported == [1, None]
