"""What is sent to which node after a change, a rejection and a restart."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from originmap import data
from originmap.domain.mapping.mapping import Place, put
from originmap.domain.tier.cache import Cache
from originmap.domain.tier.topology import Topology
from originmap.export.envoy import CLUSTER_TYPE, ENDPOINTS_TYPE, HOST_TYPE, ROUTES_TYPE
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, ip
from tests.xds.node_client import NodeClient
from tests.xds.world import ZONES, World, opened_world, serving

COM, ORG = "originmap/example.com", "originmap/example.org"
ORIGIN = ip("192.0.2.1")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with opened_world() as world:
        yield world


def with_caches(port: int) -> Topology:
    """The packaged topology with a cache on this port in each of three colos."""
    whole = data.topology()
    kept = [colo for colo in whole.colos if colo.code in ("IAD", "FRA", "SIN")]
    colos = tuple(
        replace(colo, caches=(Cache(f"{colo.code.lower()}-1", f"192.0.2.{n}", port),))
        for n, colo in enumerate(kept, 1)
    )
    return replace(whole, colos=colos)


async def test_a_changed_mapping_sends_one_resource_to_the_nodes_concerned(world: World) -> None:
    async with contextlib.AsyncExitStack() as stack:
        zones = {f"node-{n}": ["example.com"] if n % 2 else ["example.org"] for n in range(100)}
        nodes = [
            await stack.enter_async_context(world.node(name=name, zone=zone))
            for name, zone in zones.items()
        ]
        for node in nodes:
            await node.complete()
        await world.change("example.com")
        for node in nodes[1::2]:
            await node.waits_for((HOST_TYPE, [COM]))
        await world.change("example.org")
        for node in nodes[::2]:
            await node.waits_for((HOST_TYPE, [ORG]))
        assert [len(node.pushes) for node in nodes] == [1] * 100


async def test_a_node_gets_clusters_endpoints_and_then_routes(world: World) -> None:
    await world.opened.topologies.set(with_caches(80), CAUSE)
    async with world.node() as node:
        await node.until(node.is_complete, "all resources")
        # Envoy asks for endpoints once it has clusters.
        assert {push[0] for push in node.pushes[:3]} >= {CLUSTER_TYPE, ROUTES_TYPE}
        assert node.pushes[0][0] == CLUSTER_TYPE
        assert len(node.held[ENDPOINTS_TYPE]) >= 2
        entries = node.host(
            "example.com"
        ).matcher.on_no_match.matcher.matcher_tree.exact_match_map.map
        assert list(entries) == ["192.0.2.1"]


async def test_a_node_that_moves_gets_another_generic_tier_and_nothing_else(world: World) -> None:
    """All chains of regions stay the same."""

    def with_node_at(latitude: float, longitude: float) -> Topology:
        whole = data.topology()
        kept = [colo for colo in whole.colos if colo.code in ("IAD", "FRA", "NRT", "SIN")]
        moved = {"latitude": latitude, "longitude": longitude, "eligible": False}
        colos = (replace(c, **(moved if c.code == "SIN" else {})) for c in kept)
        return replace(whole, colos=tuple(colos))

    await world.opened.topologies.set(with_node_at(35, 139), CAUSE)
    async with world.node() as node:
        await node.complete()
        await world.opened.topologies.set(with_node_at(50, 8), CAUSE)
        await node.waits_for((HOST_TYPE, [COM, "originmap/example.net", ORG]))


async def test_a_new_address_of_a_cache_sends_endpoints_only(world: World) -> None:
    await world.opened.topologies.set(with_caches(80), CAUSE)
    async with world.node() as node:
        await node.complete()
        await world.opened.topologies.set(with_caches(8080), CAUSE)
        await node.until(lambda: node.pushes, "endpoints")
        assert {push[0] for push in node.pushes} == {ENDPOINTS_TYPE}


@pytest.mark.parametrize("incremental", [True, False])
async def test_nothing_known_is_sent_again_after_a_restart(world: World, incremental: bool) -> None:
    kind = "node" if incremental else "old_node"
    async with getattr(world, kind)() as node:
        await node.complete()
    async with serving(world.opened) as later, getattr(later, kind)(known=node) as again:
        await later.applied()
        assert again.pushes == []
        await later.change("example.com")
        name = COM if incremental else "originmap"
        await again.waits_for((HOST_TYPE if incremental else ROUTES_TYPE, [name]))


async def test_a_change_while_a_node_is_away_sends_one_resource(world: World) -> None:
    async with world.node() as node:
        await node.complete()
    await world.change("example.org")
    async with world.node(known=node) as again:
        await again.waits_for((HOST_TYPE, [ORG]))


async def test_a_restored_database_with_the_same_revision_is_sent(world: World) -> None:
    restored = MemoryStore()
    await restored.load(world.store.snapshot())
    await world.change("example.org")
    await restored.write(
        ZONES["example.com"], (ORIGIN,), put(ORIGIN, Place("aws", "ap-south-1")), CAUSE
    )
    assert restored.revision == world.store.revision
    async with world.node() as node:
        await node.complete()
        await world.store.load(restored.snapshot())
        await node.until(lambda: node.pushes, "the restored mappings")
        assert node.pushes == [(HOST_TYPE, [COM, ORG], [])]


async def test_a_deleted_zone_is_removed(world: World) -> None:
    async with world.node() as node:
        await node.complete()
        await world.delete_zone("example.org")
        await node.until(lambda: node.pushes, "the removal")
        assert node.pushes == [(HOST_TYPE, [], [ORG])]


async def test_a_rejected_version_is_reported_and_not_sent_again(world: World) -> None:
    async with world.node() as node:
        await node.complete()
        good = node.held[HOST_TYPE][COM]
        node.rejects[COM] = "no such\r\n\x1b[2J matcher " + "x" * 2000
        await world.change("example.com")
        await world.until(lambda: "no such" in world.follower().problem, "the rejection")
        follower = world.follower()
        assert follower.problem.startswith("no such   [2J matcher x")
        assert len(follower.problem) <= 1000
        assert world.opened.stream_counts.rejections == 1
        assert (follower.applied or 0) < world.store.revision
        await world.change("example.org")
        await node.waits_for((HOST_TYPE, [COM]), (HOST_TYPE, [ORG]))
        assert node.held[HOST_TYPE][COM] == good
        node.rejects.clear()
        await world.change("example.com", "us-west-2")
        await world.applied()
        assert world.follower().problem == ""


async def test_a_rejected_resource_keeps_no_other_from_a_node(world: World) -> None:
    async with world.node() as node:
        node.rejects[COM] = "unwanted"
        others = {ORG, "originmap/example.net"}
        await node.until(lambda: node.held.get(HOST_TYPE, {}).keys() == others, "the other zones")
        await world.until(lambda: world.follower().problem == "unwanted", "the rejection")
        assert [push[1] for push in node.pushes if COM in push[1]][1:] == [[COM]]


async def test_routes_to_a_rejected_cluster_wait_and_others_do_not(world: World) -> None:
    await world.change("example.com", "us-east-1")
    async with world.node() as node:
        node.rejects["originmap_iad_ewr"] = "no such cluster"
        await node.until(lambda: len(node.hosts()) == 2, "two zones")
        assert node.hosts() == ["example.net", "example.org"]
        await world.change("example.org")
        await world.change("example.com", "eu-central-1")
        await node.until(lambda: len(node.hosts()) == 3, "the third zone")
        assert world.follower().problem == "no such cluster"


async def test_an_upper_tier_without_address_is_reported(world: World) -> None:
    async with world.node(upstream=["IAD=192.0.2.10:80"]) as node:
        await world.until(lambda: "no upstream address" in problem(world), "the problem")
        assert node.pushes == []


def problem(world: World) -> str:
    """The problem of the node, "" if there is none or no node."""
    return next((each.problem for each in world.opened.followers.all()), "")


async def test_a_node_of_a_later_stage_waits(world: World) -> None:
    async with world.node() as node:
        await node.complete()
        await world.step("hold")
        await world.change("example.com")
        await world.step("start", stages="FRA,100%")
        before = version(node)
        async with world.node(name="fra-1", colo="FRA") as early:
            await early.complete()
            released = version(early)
            assert node.pushes == []
            await world.step("advance")
            await node.waits_for((HOST_TYPE, [COM]))
            assert version(node) != before
            await world.step("kill")
            await node.waits_for((HOST_TYPE, [COM]), (HOST_TYPE, [COM]))
            await early.waits_for((HOST_TYPE, [COM]))
            assert version(node) == before
            assert version(early) != released


def version(node: NodeClient) -> str:
    """The version of the first zone."""
    return node.held[HOST_TYPE][COM]
