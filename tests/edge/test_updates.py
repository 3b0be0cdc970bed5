"""An update writes the same bytes as a complete rendering, whatever changed."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from originmap import data
from originmap.domain.errors import OriginmapError
from originmap.domain.history.change import Change
from originmap.domain.history.record import Kind, RecordDecide
from originmap.domain.history.snapshot import MappingSelection, Part
from originmap.domain.mapping.address import Address, text
from originmap.domain.mapping.batch import delete
from originmap.domain.mapping.mapping import MappingChange, Place, put
from originmap.domain.mapping.own_region_rules import set_regions
from originmap.domain.mapping.own_regions import OwnRegion, OwnRegions
from originmap.domain.rollout import rollout
from originmap.domain.rollout.rollout import allowed
from originmap.domain.rollout.rules import take
from originmap.domain.tier.cache import Cache
from originmap.domain.tier.latency import Latencies, Measurement
from originmap.domain.tier.topology import GenericTier, Topology
from originmap.domain.tier.topology_rules import set_latencies, set_topology
from originmap.domain.zone.pool import Pool
from originmap.domain.zone.rules import (
    add_missing,
    create_zone,
    delete_zone,
    set_pools,
    switch_setting,
)
from originmap.domain.zone.zone import Account, Zone
from originmap.edge.agent import Agent
from originmap.edge.command import parse
from originmap.edge.pace import Pace
from originmap.edge.record import ApplyRecord
from originmap.edge.render import spare
from originmap.edge.renderer import Rendered, Renderer, Standpoint
from originmap.edge.switch import new_of
from originmap.edge.target import Duty, Target
from originmap.export import free_space, sorted_lines
from originmap.export.endpoint import read
from originmap.export.format import File
from originmap.export.formats import FORMATS, format_called
from originmap.export.node import Node
from originmap.service.rollout.current_rollout import CurrentRollout
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, US_EAST, US_WEST, ip, ips, new_zone, zone

PLACES = [US_EAST, US_WEST, Place("gcp", "europe-west3"), Place("acme", "own")]
ADDRESSES = [*ips(5), ip("2001:db8::1")]
ZONES = [f"{number:x}" * 32 for number in range(1, 6)]
COLOS = tuple(c for c in data.topology().colos if c.code in {"IAD", "SEA", "FRA", "NRT", "SIN"})
CACHED = tuple(
    replace(
        colo, caches=tuple(Cache(f"{colo.code.lower()}-{n}", f"10.{of_colo}.{n}.1") for n in (1, 2))
    )
    for of_colo, colo in enumerate(COLOS)
)
TOPOLOGIES = [
    Topology(COLOS, cache_template="{colo}.cache.example.net:80"),
    Topology(COLOS[1:], fallbacks=2, cache_template="{colo}.cache.example.net:80"),
    Topology(CACHED, generic=GenericTier.HASH),
]
NOW = 1_000_000

Step = Callable[[MemoryStore], Awaitable[None]]


async def put_mapping(store: MemoryStore, zone_id: str, address: Address, place: Place) -> None:
    await store.write(zone_id, [address], put(address, place), CAUSE)


async def delete_mapping(store: MemoryStore, zone_id: str, address: Address) -> None:
    texts, rule = delete([text(address)])
    await store.write(zone_id, texts, rule, CAUSE)


async def write_record(store: MemoryStore, rule: RecordDecide[object]) -> None:
    await store.write_records(rule, CAUSE)


def record_step(rules: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.builds(partial, st.just(write_record), rule=rules)


def made(zone_id: str) -> RecordDecide[Zone]:
    return create_zone(zone(zone_id, f"z{zone_id[0]}.example"))


def pooled(zone_id: str, members: Iterable[Address]) -> RecordDecide[Zone]:
    return set_pools(zone_id, [Pool("pool", tuple(map(text, members)))], NOW)


def measured(milliseconds: int) -> RecordDecide[Latencies]:
    measurement = Measurement("SEA", "aws", "us-east-1", float(milliseconds), NOW)
    return set_latencies(Latencies((measurement,)))


def owned(latitude: int) -> RecordDecide[OwnRegions]:
    return set_regions([OwnRegion("acme", "own", "", "", latitude, 8.7)], data.catalogue())


zone_ids, addresses, places = map(st.sampled_from, (ZONES, ADDRESSES, PLACES))
switches = st.sampled_from(["tiered_cache", "smart_tiered_cache", "regional_tiered_cache"])
mapping_steps = st.one_of(
    st.builds(partial, st.just(put_mapping), zone_id=zone_ids, address=addresses, place=places),
    st.builds(partial, st.just(delete_mapping), zone_id=zone_ids, address=addresses),
)
record_steps = st.one_of(
    record_step(st.builds(made, zone_ids)),
    record_step(st.builds(delete_zone, zone_ids)),
    record_step(st.builds(switch_setting, zone_ids, switches, st.booleans(), st.just(NOW))),
    record_step(st.builds(pooled, zone_ids, st.sets(addresses, min_size=2, max_size=3))),
    record_step(st.sampled_from(TOPOLOGIES).map(set_topology)),
    record_step(st.integers(1, 300).map(measured)),
    record_step(st.sampled_from([-34, 50]).map(owned)),
)
rounds = st.lists(mapping_steps, min_size=1, max_size=3) | st.lists(
    mapping_steps | record_steps, min_size=1, max_size=3
)


class Kept:
    """The files of some formats, updated after each round."""

    def __init__(
        self,
        store: MemoryStore,
        folder: Path,
        formats: Iterable[str],
        zones: Sequence[str] = (),
    ) -> None:
        self._store, self._folder, self._zones = store, folder, zones
        self._formats = [known for known in FORMATS if known.name in formats]
        self._renderer, self._complete = self._new(), self._new()

    def _new(self) -> Renderer:
        standpoint = Standpoint("sin-1", "SIN", self._zones, read([]))
        return Renderer(self._store, standpoint, data.catalogue(), TOPOLOGIES[0], lambda: NOW)

    def _files(self, node: Node) -> dict[Path, File]:
        return {
            self._folder / known.name / file.name: file
            for known in self._formats
            for file in known.all(node)
        }

    async def update(self) -> Rendered:
        """Update the files, and compare them with complete ones."""
        rendered = await self._render(self._renderer, update=True)
        paths = list(self._files(rendered.node))
        for path in paths:
            if rendered.wrote(new_of(path)):
                assert rendered.updated is None or differs(path)
                new_of(path).replace(path)
        self._renderer.keep(rendered, {new_of(path): path for path in paths})
        complete = await self._render(self._complete, update=False)
        assert complete.revision == rendered.revision == self._store.revision
        for path in paths:
            assert path.read_bytes() == new_of(path).read_bytes(), path
            new_of(path).unlink()
        await self._renderer.prepare()
        return rendered

    async def _render(self, renderer: Renderer, *, update: bool) -> Rendered:
        return await renderer.render(
            lambda node: {new_of(path): file for path, file in self._files(node).items()},
            update=update,
        )


def differs(path: Path) -> bool:
    return path.read_bytes() != new_of(path).read_bytes()


async def follow(folder: Path, formats: Iterable[str], steps: list[list[Step]]) -> int:
    """Update the files after each round of steps; return how many rounds changed mappings of one
    zone only, and were not updates."""
    primary, replica = MemoryStore(), MemoryStore()
    account = Account("account", "Example", NOW)
    await primary.write_records(add_missing([(Kind.ACCOUNT, account)]), CAUSE)
    for zone_id in ZONES[:4]:
        await primary.write_records(made(zone_id), CAUSE)
        for address in ADDRESSES[:3]:
            await put_mapping(primary, zone_id, address, US_EAST)
    await replica.load(primary.snapshot())
    kept, unexpected = Kept(replica, folder, formats), 0
    await kept.update()
    for taken in steps:
        for step in taken:
            with contextlib.suppress(OriginmapError):
                await step(primary)
        changes = await primary.changes(replica.revision, 1_000)
        await replica.apply(changes)
        rendered = await kept.update()
        if len({each.zone_id for each in changes}) == 1:
            of_mappings = all(isinstance(each.what, MappingChange) for each in changes)
            unexpected += of_mappings and rendered.updated is None
    return unexpected


class BusyStore(MemoryStore):
    """A store that commits other changes just before a snapshot is taken."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Change] = []

    async def snapshot(
        self, *, history: bool = False, selection: MappingSelection | None = None
    ) -> AsyncGenerator[Part, None]:
        if self.waiting:
            await self.apply([self.waiting.pop(0)])
        async for part in super().snapshot(history=history, selection=selection):
            yield part


class Applied(NamedTuple):
    """An agent of one cache, whose check fails while there is a file named refuse."""

    primary: MemoryStore
    replica: BusyStore
    agent: Agent
    file: Path

    async def change(self, place: Place) -> Rendered:
        """Change a mapping, and update the cache."""
        await put_mapping(self.primary, ZONES[0], ADDRESSES[0], place)
        await self.replica.apply(await self.primary.changes(self.replica.revision, 100))
        await self.agent.update()
        assert self.agent.rendered
        return self.agent.rendered


@pytest.fixture
async def applied(tmp_path: Path) -> Applied:
    primary, replica = MemoryStore(), BusyStore()
    for zone_id in ZONES[:3]:
        await primary.write_records(new_zone(zone_id, f"z{zone_id[0]}.example"), CAUSE)
    await replica.load(primary.snapshot())
    duty = Duty(
        format_called("json"), tmp_path / "file", (parse(f"test ! -e {tmp_path / 'refuse'}"),)
    )
    record = ApplyRecord(tmp_path / "json.json")
    current = CurrentRollout(replica)
    agent = Agent(
        replica,
        Renderer(
            replica,
            Standpoint("sin-1", "SIN", (), read([])),
            data.catalogue(),
            TOPOLOGIES[0],
            lambda: NOW,
        ),
        [Target(duty, None, record, {"PATH": "/usr/bin:/bin"})],
        Pace(0.0, 1e9),
        lambda revision, problem: None,
        lambda: allowed(current.rollout, "sin-1", "SIN"),
        lambda: NOW,
        lambda: 0.0,
    )
    await agent.update()
    return Applied(primary, replica, agent, duty.path)


async def test_a_file_that_another_program_changed_is_rendered_completely(
    applied: Applied, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await applied.change(US_EAST)).updated
    with applied.file.open("a") as file:
        file.write("stray\n")
    assert (await applied.change(US_WEST)).updated is None
    assert "stray" not in applied.file.read_text()
    assert "the file was changed by another program" in caplog.text


async def test_files_behind_a_new_link_are_updated(applied: Applied) -> None:
    await applied.change(US_EAST)
    moved = applied.file.with_name("moved")
    applied.file.rename(moved)
    applied.file.symlink_to(moved)
    assert (await applied.change(US_WEST)).updated is None
    assert (await applied.change(PLACES[2])).updated
    assert applied.file.is_symlink()
    assert "europe-west3" in moved.read_text()


async def test_refused_files_are_not_the_base_of_an_update(applied: Applied) -> None:
    await applied.change(US_EAST)
    refuse = applied.file.with_name("refuse")
    refuse.touch()
    before = applied.file.read_bytes()
    assert (await applied.change(US_WEST)).updated
    assert applied.file.read_bytes() == before
    refuse.unlink()
    assert (await applied.change(PLACES[2])).updated is None
    assert b"europe-west3" in applied.file.read_bytes()
    assert (await applied.change(US_EAST)).updated


async def test_a_revision_that_a_rollout_holds_is_rendered_completely(applied: Applied) -> None:
    held = (await applied.change(US_EAST)).revision
    await applied.primary.write_records(take(rollout.hold(held, 5), "me", 5), CAUSE)
    rendered = await applied.change(US_WEST)
    assert (rendered.revision, rendered.updated) == (held, None)
    assert b"us-east-1" in applied.file.read_bytes()


async def test_changes_that_arrive_during_an_update_are_part_of_it(applied: Applied) -> None:
    await applied.change(US_EAST)
    await put_mapping(applied.primary, ZONES[1], ADDRESSES[1], US_EAST)
    await put_mapping(applied.primary, ZONES[1], ADDRESSES[2], US_EAST)
    first, *applied.replica.waiting = await applied.primary.changes(applied.replica.revision, 100)
    await applied.replica.apply([first])
    await applied.agent.update()
    rendered = applied.agent.rendered
    assert rendered
    assert (rendered.revision, rendered.updated is None) == (applied.primary.revision, False)
    assert len(applied.file.read_text().splitlines()) == 3


async def test_changes_that_do_not_concern_the_node_write_no_file(applied: Applied) -> None:
    await applied.change(US_EAST)
    account = Account("other", "Example", NOW)
    await applied.primary.write_records(add_missing([(Kind.ACCOUNT, account)]), CAUSE)
    await applied.replica.apply(await applied.primary.changes(applied.replica.revision, 100))
    await applied.agent.update()
    assert applied.agent.rendered
    assert applied.agent.rendered.updated == {}


async def test_changes_of_zones_that_the_node_does_not_serve_write_no_file(
    tmp_path: Path,
) -> None:
    primary, replica = MemoryStore(), MemoryStore()
    for zone_id in ZONES[:4]:
        await primary.write_records(new_zone(zone_id, f"z{zone_id[0]}.example"), CAUSE)
    await replica.load(primary.snapshot())
    kept = Kept(replica, tmp_path, ["nginx", "trafficserver"], ZONES[:2])
    await kept.update()
    written = []
    for zone_id in ZONES[3], ZONES[1]:
        await put_mapping(primary, zone_id, ADDRESSES[0], US_EAST)
        await replica.apply(await primary.changes(replica.revision, 100))
        written.append((await kept.update()).updated)
    assert written[0] == {}
    assert written[1]


async def test_a_comparison_renders_completely(applied: Applied) -> None:
    applied.agent.compare()
    assert (await applied.change(US_EAST)).updated is None
    assert (await applied.change(US_WEST)).updated


async def test_an_update_of_a_large_file_becomes_its_spare_copy(applied: Applied) -> None:
    with as_if_large(True):
        await applied.change(US_EAST)
        await applied.agent.prepare()
        copy = spare.spare_of(applied.file)
        number = copy.stat().st_ino
        assert copy.read_bytes() == applied.file.read_bytes()
        with applied.file.open("rb") as served:
            await applied.change(US_WEST)
            assert b"us-east-1" in served.read()
        assert (applied.file.stat().st_ino, copy.exists()) == (number, False)
        assert b"us-west-2" in applied.file.read_bytes()
        await applied.agent.prepare()
        assert copy.exists()
        applied.agent.stop()
        await applied.agent.run()
        assert not copy.exists()


async def test_a_spare_copy_of_a_killed_agent_is_removed(applied: Applied) -> None:
    with as_if_large(True):
        await applied.change(US_EAST)
        await applied.agent.prepare()
    await applied.agent.recover()
    assert not spare.spare_of(applied.file).exists()


@contextlib.contextmanager
def as_if_large(large: bool) -> Iterator[None]:
    """Spare copies and free space for small files too, and blocks of few lines."""
    with contextlib.ExitStack() as stack:
        if large:
            stack.enter_context(patch.object(spare, "SMALLEST", 0))
            stack.enter_context(patch.object(free_space, "SMALLEST", 0))
            stack.enter_context(patch.object(sorted_lines, "LINES", 2))
        yield


@settings(max_examples=30)
@given(st.lists(rounds, min_size=1, max_size=5), st.booleans())
def test_files_written_by_zone(steps: list[list[Step]], large: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, as_if_large(large):
        names = ("nginx", "haproxy", "varnish", "envoy", "csv", "json")
        assert asyncio.run(follow(Path(folder), names, steps)) == 0


@settings(max_examples=30)
@given(st.lists(rounds, min_size=1, max_size=5), st.booleans())
def test_files_sorted_by_address(steps: list[list[Step]], large: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, as_if_large(large):
        assert asyncio.run(follow(Path(folder), ("trafficserver", "mmdb"), steps)) == 0
