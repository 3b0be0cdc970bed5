"""Pools: one upper tier for all members, on every node, and what would move."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from originmap import Resolver, data
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.chain import Chain
from originmap.domain.tier.resolution import Mode, resolve, resolve_members
from originmap.domain.tier.tier import Tiers
from originmap.domain.tier.topology import ColoState
from originmap.domain.tier.topology_problems import with_states
from originmap.domain.tier.whatif import Move, PoolCount, pool_move
from originmap.domain.zone.pool import Pool, checked_pools
from originmap.domain.zone.zone import Switch, Zone
from originmap.export.node import Node
from tests.builders import CENTRAL, US_EAST, US_WEST, ip, zone
from tests.export.samples import stored

CATALOGUE, TOPOLOGY = data.catalogue(), data.topology()
TIERS = Tiers(CATALOGUE, TOPOLOGY, {})
PLACES = [Place(region.vendor, region.name) for region in CATALOGUE.regions()]
UNKNOWN = Place("aws", "mars-north-1")
WEB = Pool("web", ("192.0.2.1", "192.0.2.2", "192.0.2.3"))
POOLED = replace(zone(), pools=(WEB,))
MAPPED = {ip("192.0.2.1"): US_EAST, ip("192.0.2.2"): US_WEST, ip("192.0.2.4"): US_EAST}


def test_members_share_the_tier_of_their_pool_and_keep_their_places() -> None:
    found = resolve_members(POOLED, MAPPED.get, TIERS)
    assert {each.place for each in found.values()} == {US_EAST, US_WEST, None}
    assert {each.tier for each in found.values()} == {TIERS.of_pool([US_EAST, US_WEST])}
    assert found.keys() == {ip(member) for member in WEB.members}
    (reason,) = {each.reason for each in found.values()}
    assert reason.startswith("pool web: ")
    assert "aws us-east-1 and aws us-west-2" in reason


def test_without_a_mapped_member_or_without_tiers_a_pool_changes_nothing() -> None:
    assert resolve_members(POOLED, {}.get, TIERS) == {}
    for setting in ("tiered_cache", "smart_tiered_cache"):
        off = replace(POOLED, **{setting: Switch(False)})
        assert resolve_members(off, MAPPED.get, TIERS) == {}


def test_a_pool_in_unknown_regions_fills_from_any_colo() -> None:
    found = resolve_members(POOLED, lambda _: UNKNOWN, TIERS)
    assert {(each.mode, each.tier) for each in found.values()} == {(Mode.GENERIC, None)}


def test_the_resolver_knows_pools() -> None:
    resolver = Resolver(1, {"example.com": (POOLED, MAPPED)}, TIERS)
    of_pool = TIERS.of_pool([US_EAST, US_WEST])
    for member in WEB.members:
        assert resolver.resolve("example.com", member).tier == of_pool
    assert resolver.resolve("example.com", "192.0.2.4") == resolve(POOLED, US_EAST, TIERS)
    assert resolver.resolve("example.com", "192.0.2.5").mode is Mode.GENERIC


def test_a_pool_in_one_region_has_the_colos_of_that_region() -> None:
    pool = TIERS.of_pool([US_EAST, US_EAST])
    assert pool is not None
    assert tuple(r.colo.code for r in pool.chosen) == TIERS.codes(US_EAST)


def test_regions_with_one_override_share_its_colos() -> None:
    both = {"aws/us-east-1": ("DFW", "SYD"), "aws/us-west-2": ("DFW", "SYD")}
    tiers = Tiers(CATALOGUE, replace(TOPOLOGY, overrides=both), {})
    pool = tiers.of_pool([US_EAST, US_WEST])
    assert pool is not None
    assert [r.colo.code for r in pool.chosen] == ["DFW", "SYD"]
    assert pool.reason == "DFW: an override names it for aws us-east-1 and aws us-west-2"


def test_a_pool_moves_as_a_whole() -> None:
    count = PoolCount("z", "web", 3, (US_EAST, US_WEST))
    old = count.codes(TIERS)
    after = Tiers(CATALOGUE, with_states(TOPOLOGY, {old[0]: ColoState.DOWN}), {})
    assert pool_move(count, TIERS, TIERS) is None
    found = pool_move(count, TIERS, after)
    assert found == Move("z", None, 3, old, count.codes(after), "web")
    assert found.cold
    assert PoolCount("z", "web", 3, (UNKNOWN,)).codes(TIERS) == TIERS.eligible


@st.composite
def pooled_zones(draw: st.DrawFn) -> tuple[Zone, dict[str, Place]]:
    """A zone with pools, and mappings of some of its origins."""
    texts = draw(st.lists(st.integers(1, 60), min_size=1, max_size=12, unique=True))
    names = {f"192.0.2.{n}": draw(st.sampled_from(["a", "b", None])) for n in texts}
    pools = [
        Pool(name, members)
        for name in ("a", "b")
        if (members := tuple(text for text, each in names.items() if each == name))
    ]
    places = st.sampled_from([*PLACES, UNKNOWN])
    mappings = {text: draw(places) for text in names if draw(st.booleans())}
    regional = Switch(draw(st.booleans()))
    return replace(zone(), pools=checked_pools(pools), regional_tiered_cache=regional), mappings


def _chains(node: Node, of: Zone, mappings: dict[str, Place]) -> dict[str, Chain]:
    part = node.part(of, stored(mappings))
    assert [row.address for row in part.rows] == sorted(row.address for row in part.rows)
    chains = {row.address: row.chain for row in part.rows}
    known = {*node.chains, part.default, ()}
    assert known.issuperset(chains.values())
    everyone = {*mappings, *(text for pool in of.pools for text in pool.members)}
    return {text: chains.get(ip(text), part.default) for text in everyone}


@given(pooled_zones(), st.sampled_from([None, "IAD", "SIN", "FRA"]))
def test_every_member_of_a_pool_has_one_chain_that_the_node_has(
    made: tuple[Zone, dict[str, Place]], colo: str | None
) -> None:
    of, mappings = made
    chains = _chains(Node([of], TIERS, PLACES, colo), of, mappings)
    for pool in of.pools:
        known = [m for m in pool.members if mappings.get(m, UNKNOWN) != UNKNOWN]
        if known:
            assert len({chains[member] for member in pool.members}) == 1
    alone = replace(of, pools=())
    others = _chains(Node([alone], TIERS, PLACES, colo), alone, mappings)
    for text in others.keys() - {m for pool in of.pools for m in pool.members}:
        assert chains[text] == others[text]


def test_one_member_without_a_mapping_has_a_row_of_its_own() -> None:
    rows = (
        Node([POOLED], TIERS, PLACES, "SIN")
        .part(POOLED, stored({"192.0.2.1": US_EAST, "192.0.2.2": CENTRAL}))
        .rows
    )
    assert [(row.place, row.mapping.revision) for row in rows] == [
        (US_EAST, 1), (CENTRAL, 2), (Place("", ""), 0),
    ]  # fmt: skip
    assert len({row.chain for row in rows}) == 1
