"""The chain of a node: hub, upper tier and fallbacks; no request can come back."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap import data
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.cache import Cache
from originmap.domain.tier.chain import GENERIC, Chain, Chains, Hubs
from originmap.domain.tier.continent import continent
from originmap.domain.tier.resolution import resolve
from originmap.domain.tier.tier import Tiers
from originmap.domain.tier.topology import Colo, ColoState, GenericTier, Topology
from originmap.domain.zone.zone import Switch, Zone

CATALOGUE = data.catalogue()
VIRGINIA = Place("aws", "us-east-1")
PLAIN = Zone("1" * 32, "example.com", "account", 1, 1)
REGIONAL = replace(PLAIN, regional_tiered_cache=Switch(True))
COLOS = (
    Colo("IAD", "Ashburn", "US", 38.9, -77.5),
    Colo("ORD", "Chicago", "US", 42.0, -87.9),
    Colo("LAX", "Los Angeles", "US", 33.9, -118.4, eligible=False),
    Colo("SEA", "Seattle", "US", 47.4, -122.3, eligible=False),
    Colo("FRA", "Frankfurt", "DE", 50.0, 8.6),
    Colo("CDG", "Paris", "FR", 49.0, 2.5, eligible=False),
)
HUBS = Topology(COLOS, hubs={"north-america": ("SEA", "ORD")})


def chain(topology: Topology, own: str | None, zone: Zone, place: Place | None = VIRGINIA) -> Chain:
    tiers = Tiers(CATALOGUE, topology, {})
    colo = topology.by_code().get(own or "")
    siblings = colo is not None and len(colo.serving) > 1
    return Chains(tiers, own, siblings=siblings).of(zone, resolve(zone, place, tiers))


def test_an_edge_fills_through_its_hub_if_regional_tiered_cache_is_on() -> None:
    assert chain(HUBS, "LAX", PLAIN) == ("IAD", "ORD")
    assert chain(HUBS, "LAX", REGIONAL) == ("SEA", "IAD", "ORD")


def test_the_hub_fills_from_the_upper_tier() -> None:
    assert chain(HUBS, "SEA", REGIONAL) == ("IAD", "ORD")


def test_the_middle_tier_is_omitted_if_the_node_is_an_upper_tier() -> None:
    assert chain(HUBS, "ORD", REGIONAL) == ("IAD",)
    assert chain(HUBS, "IAD", REGIONAL) == ()


def test_a_hub_that_is_the_fallback_comes_first() -> None:
    topology = replace(HUBS, hubs={"north-america": ("ORD",)})
    assert chain(topology, "LAX", REGIONAL) == ("ORD", "IAD")


def test_a_hub_that_is_the_upper_tier_is_no_additional_hop() -> None:
    topology = replace(HUBS, hubs={"north-america": ("IAD",)})
    assert chain(topology, "LAX", REGIONAL) == ("IAD", "ORD")


def test_without_configured_hubs_the_nearest_eligible_colo_of_the_region_is_the_hub() -> None:
    by_code = HUBS.by_code()
    plain = Topology(COLOS)
    assert Hubs(plain).of(by_code["CDG"]) == "FRA"
    assert Hubs(plain).of(by_code["LAX"]) == "ORD"
    assert Hubs(plain).of(by_code["FRA"]) == "FRA"
    assert Hubs(plain).of(Colo("SYD", "Sydney", "AU", -33.9, 151.2)) is None
    assert chain(plain, "CDG", REGIONAL) == ("FRA", "IAD", "ORD")


def test_a_region_has_any_name_and_a_hub_that_is_down_is_not_used() -> None:
    colos = [replace(c, region="west") if c.code in ("LAX", "SEA") else c for c in COLOS]
    topology = Topology(tuple(colos), hubs={"west": ("SEA",)})
    assert chain(topology, "LAX", REGIONAL) == ("SEA", "IAD", "ORD")
    down = [replace(c, state=ColoState.DOWN) if c.code == "SEA" else c for c in colos]
    assert chain(replace(topology, colos=tuple(down)), "LAX", REGIONAL) == ("IAD", "ORD")


def test_origins_without_a_mapping_skip_the_hub() -> None:
    assert chain(HUBS, "LAX", REGIONAL, None) == ("ORD", "IAD")


def test_the_generic_tier_by_hash_is_the_same_for_every_node() -> None:
    hashed = replace(HUBS, generic=GenericTier.HASH)
    assert {chain(hashed, code, PLAIN, None) for code in hashed.by_code()} == {(GENERIC,)}
    assert chain(hashed, None, PLAIN, None) == (GENERIC,)
    alone = replace(hashed, generic_pool=("FRA",))
    assert chain(alone, "CDG", PLAIN, None) == (GENERIC,)
    assert chain(alone, "FRA", PLAIN, None) == ()


def test_a_node_of_an_upper_tier_with_several_caches_asks_its_own_colo() -> None:
    caches = (Cache("iad-1", "192.0.2.1"), Cache("iad-2", "192.0.2.2"))
    colos = [replace(c, caches=caches) if c.code == "IAD" else c for c in COLOS]
    topology = replace(HUBS, colos=tuple(colos))
    assert chain(topology, "IAD", PLAIN) == ("IAD",)
    one = [replace(c, caches=caches[:1]) if c.code == "IAD" else c for c in COLOS]
    assert chain(replace(HUBS, colos=tuple(one)), "IAD", PLAIN) == ()


@pytest.mark.parametrize(
    ("country", "name"),
    [("US", "north-america"), ("BR", "south-america"), ("DE", "europe"), ("JP", "asia"),
     ("ZA", "africa"), ("AU", "oceania"), ("QQ", "QQ")],
)  # fmt: skip
def test_a_colo_is_in_the_region_of_its_continent(country: str, name: str) -> None:
    assert continent(country) == name


def test_every_packaged_colo_has_a_continent() -> None:
    assert all(len(colo.network_region) > 2 for colo in data.hubs())


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    """Any topology of the packaged colos, with hubs, costs and caches, and with any of them
    ineligible, draining or down."""
    active = [ColoState.ACTIVE] * 2
    states = st.sampled_from([*active, ColoState.DRAINING, ColoState.DOWN])
    names = [Cache(f"cache-{number}", "192.0.2.1") for number in range(3)]
    some = draw(st.lists(st.sampled_from(data.hubs()), min_size=2, max_size=12, unique=True))
    colos = [
        replace(
            colo,
            eligible=draw(st.booleans()) or n == 0,
            state=draw(states) if n else ColoState.ACTIVE,
            caches=tuple(names[: draw(st.integers(0, 3))]),
            cost=draw(st.sampled_from([0, 0, 20])),
        )
        for n, colo in enumerate(some)
    ]
    codes = st.sampled_from([colo.code for colo in colos])
    regions = draw(st.sets(st.sampled_from([colo.network_region for colo in colos])))
    hubs = {region: tuple(draw(st.sets(codes, min_size=1))) for region in sorted(regions)}
    return Topology(tuple(colos), hubs=hubs, fallbacks=draw(st.integers(0, 3)))


PLACES = [Place(region.vendor, region.name) for region in CATALOGUE.regions()]


@given(topologies(), st.sampled_from([*PLACES, None]), st.sampled_from([PLAIN, REGIONAL]))
def test_no_chain_leads_back_for_any_pair_of_nodes(
    topology: Topology, place: Place | None, zone: Zone
) -> None:
    """A request that each node passes to any colo of its chain reaches the origin. A cache passes
    it to a sibling once, because then it is marked."""
    chains = {
        code: [other for other in chain(topology, code, zone, place) if other != code]
        for code in topology.by_code()
    }
    depth = dict.fromkeys(chains, 0)
    for _ in chains:
        for one, other in product(chains, chains):
            if other in chains[one]:
                depth[one] = max(depth[one], depth[other] + 1)
    assert max(depth.values()) < len(chains), chains
