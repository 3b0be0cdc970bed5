"""Long work in pieces: other requests are served between two pieces."""

import asyncio
import itertools
import time
from dataclasses import replace

import msgspec
import pytest

from originmap import bootstrap
from originmap.domain.access.permissions import Grants
from originmap.domain.errors import InvalidTopology
from originmap.domain.history.change import Change
from originmap.domain.history.snapshot import size
from originmap.domain.mapping.mapping import put
from originmap.domain.tier.topology import Colo, ColoState, Topology
from originmap.domain.tier.topology_problems import check
from originmap.domain.tier.topology_rules import set_topology
from originmap.domain.tier.topology_sizes import MAX_COLOS
from originmap.service import initial_data
from originmap.service.access.directory import Directory
from originmap.service.feed.feed import Feed, Point
from originmap.service.feed.followers import Report
from originmap.service.feed.snapshots import LOCAL, Snapshots
from originmap.service.feed.view import View
from originmap.service.history.history import ZoneHistory
from originmap.service.history.past_zones import PastZones
from originmap.service.tier.regions_in_use import RegionsInUse
from originmap.service.turns import PIECE, Turns
from originmap.settings import Settings
from originmap.store.memory import MemoryStore
from tests.api.application import BEARER, client_of
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, new_zone, zone

COLOS = tuple(
    Colo(f"C{n}", "City", "DE", n * 37 % 170 - 85, n * 91 % 350 - 175) for n in range(MAX_COLOS)
)

LISTS = {
    "colos": [msgspec.to_builtins(COLOS[0])],
    "overrides": {f"aws/{n}": ["C0"] for n in range(100)},
    "generic_pool": ["C0"] * 100,
    "origins": {f"aws/{n}": 1 for n in range(200)},
}
"""A topology with few colos and many other entries."""
NODE = {"node": {"metadata": {"originmap": {"upstream": ["{colo}.test:80", "C1=a.test:80"]}}}}
"""Envoy's description of a node, with two addresses of upper tiers."""


async def test_one_thread_works_at_a_time_for_any_number_of_callers() -> None:
    turns, at_work = Turns(), list[int]()

    def work(number: int) -> int:
        at_work.append(number)
        time.sleep(0.001)
        assert at_work == [number]
        at_work.remove(number)
        return number

    found = await asyncio.gather(*(turns.on_thread(work, number) for number in range(20)))
    assert found == list(range(20))


async def test_one_piece_runs_per_pass_of_the_event_loop_for_any_number_of_callers() -> None:
    turns, looks = Turns(), 0
    pieces: list[int] = []

    async def look() -> None:
        nonlocal looks
        while True:
            looks += 1
            await asyncio.sleep(0)

    async def work() -> None:
        async for _ in turns.pieces(range(10 * PIECE)):
            pieces.append(looks)

    looking = asyncio.ensure_future(look())
    await asyncio.gather(*(work() for _ in range(10)))
    looking.cancel()
    assert len(pieces) == len(set(pieces)) == 100
    assert turns.given == 100


async def test_tiers_are_computed_one_region_per_turn() -> None:
    async with bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened:
        topologies = opened.topologies
        await topologies.set(Topology(COLOS), CAUSE)
        tiers = topologies.tiers()
        missing, before = len(tiers.missing), topologies.turns.given
        assert missing > 200
        assert await topologies.all_tiers() is tiers
        assert topologies.turns.given - before == missing
        assert tiers.missing == []
        await topologies.all_tiers()
        assert topologies.turns.given - before == missing


class BusyStore(MemoryStore):
    """A store that is written to while its changes are read, `more` times."""

    more, read = 0, 0

    async def changes(self, since: int, limit: int, zone_id: str | None = None) -> list[Change]:
        found = await super().changes(since, limit, zone_id)
        self.read += len(found)
        if self.more:
            self.more -= 1
            await self.write(ZONE_ID, (ip("::1"),), put(ip("::1"), next(PLACES)), CAUSE)
        return found


PLACES = itertools.cycle((US_EAST, US_WEST))


async def test_the_history_is_read_in_turns_and_once_despite_concurrent_writes() -> None:
    store, turns = BusyStore(), Turns()
    await store.write_records(new_zone(), CAUSE)
    start = store.revision
    for _ in range(5 * PIECE):
        await store.write(ZONE_ID, (ip("::1"),), put(ip("::1"), next(PLACES)), CAUSE)
    store.more = 20
    past = await ZoneHistory(store, turns).at(ZONE_ID, start)
    assert past.mappings == {}
    assert turns.given >= 5
    assert store.read <= 5 * PIECE + 2 * 20 + 2


async def test_snapshots_and_changes_are_read_in_turns_from_the_first_piece_on() -> None:
    store, turns = MemoryStore(), Turns()
    await store.write_records(new_zone(), CAUSE)
    await store.write_records(set_topology(Topology(COLOS)), CAUSE)
    addresses = [ip(f"10.0.{n // 250}.{n % 250}") for n in range(5 * PIECE)]
    for address in addresses:
        await store.write(ZONE_ID, (address,), put(address, US_EAST), CAUSE)
    snapshots = Snapshots(store, turns)
    parts = [part async for part in snapshots.take(LOCAL)]
    assert sum(map(size, parts)) == 2 + len(COLOS) + len(addresses)
    assert turns.given == 2  # the topology; this store returns all mappings of a zone in one part
    directory = Directory()
    feed = Feed(store, PastZones(store, directory), snapshots, turns)
    view = View("root", Grants([]), whole=True)
    delta = await feed.after(Point("", 0), view, 10_000)
    assert len(delta.changes) == 2 + len(addresses)
    assert turns.given == 2 + 3


@pytest.mark.parametrize(
    ("method", "path", "body", "cost"),
    [
        ("GET", "/originmap/v1/topology", None, 1),
        ("GET", "/originmap/v1/changes?since=0&limit=1000", None, 1),
        ("GET", "/originmap/v1/changes?since=0&limit=10000", None, 101),
        ("GET", f"/originmap/v1/zones/{ZONE_ID}/history?limit=1", None, 1),
        ("GET", f"/originmap/v1/zones/{ZONE_ID}/history?limit=1000", None, 10),
        ("POST", "/originmap/v1/detect", {"addresses": ["192.0.2.1"] * 1_000}, 11),
        ("POST", "/originmap/v1/whatif", {"topology": msgspec.to_builtins(Topology(COLOS))}, 11),
        ("POST", "/v3/discovery:clusters", NODE | {"resource_names": ["x"] * 998}, 11),
        ("POST", "/originmap/v1/whatif", {"topology": LISTS}, 6),
        ("POST", "/v3/discovery:clusters", NODE, 1),
    ],
)
async def test_large_requests_count_more_against_the_rate_limit(
    method: str, path: str, body: object, cost: int
) -> None:
    settings = Settings(rate_limit="1000/60")
    async with (
        bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened,
        client_of(opened, BEARER, settings=settings) as client,
    ):
        url = f"http://testserver{path.replace(ZONE_ID, initial_data.DEV_ID)}"
        answer = await client.request(method, url, json=body)
        assert answer.status_code == 200, answer.text[:300]
        after = await client.get("http://testserver/originmap/v1/topology")
        assert f"r={1_000 - cost - 1};" in after.headers["ratelimit"]


async def test_a_topology_with_too_many_colos_is_rejected() -> None:
    colo = COLOS[0]
    colos = (*COLOS, replace(colo, code="ONEMORE"))
    with pytest.raises(
        InvalidTopology, match=f"{MAX_COLOS + 1:,} colos; the limit is {MAX_COLOS:,}"
    ):
        check(Topology(colos))


def test_a_long_chain_of_successors_is_resolved_quickly() -> None:
    chain = tuple(
        replace(colo, state=ColoState.RETIRED, successor=f"C{n + 1}")
        for n, colo in enumerate(COLOS[:-1])
    )
    topology = Topology((*chain, COLOS[-1]))
    assert set(topology.successors().values()) == {COLOS[-1].code}


async def test_a_ranking_is_computed_in_its_own_turn_and_not_cached() -> None:
    async with (
        bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened,
        client_of(opened, BEARER) as client,
    ):
        await opened.topologies.set(Topology(COLOS), CAUSE)
        addresses = [ip(f"192.0.2.{n}") for n in range(20)]
        for address in addresses:
            await opened.store.write(initial_data.DEV_ID, (address,), put(address, US_EAST), CAUSE)
        ips = "&".join(f"ip=192.0.2.{n}" for n in range(20))
        url = (
            f"http://testserver/originmap/v1/zones/{initial_data.DEV_ID}/resolve?explain=true&{ips}"
        )
        answer = (await client.get(url)).json()["result"]
        assert [len(origin["ranking"]) for origin in answer["origins"]] == [MAX_COLOS] * 20
        assert opened.topologies.turns.given >= 20
        tier = opened.topologies.tiers().of(US_EAST)
        assert tier
        assert tier.ranking is not tier.ranking
        assert tier.ranking[:1] == tier.chosen[:1]


async def test_the_origins_of_each_zone_are_counted_in_a_turn_of_their_own() -> None:
    async with bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened:
        zones = [replace(zone(), id=f"{number:032}") for number in range(40)]
        topologies = opened.topologies
        await topologies.all_tiers()
        before = topologies.turns.given
        await RegionsInUse(opened.store, opened.catalogues.current, topologies).of(zones)
        assert topologies.turns.given - before >= len(zones)


async def test_followers_are_listed_in_turns() -> None:
    async with (
        bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened,
        client_of(opened, BEARER) as client,
    ):
        for number in range(4 * PIECE):
            opened.followers.reported(f"n{number}", "token", "192.0.2.9", Report(1))
        before = opened.topologies.turns.given
        answer = await client.get("http://testserver/originmap/v1/followers")
        assert len(answer.json()["result"]) == 4 * PIECE
        assert opened.topologies.turns.given - before == 4
