"""The cost of colos, and their maximum share of a vendor's origins."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from originmap.data import catalogue, hubs
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.tier import KM_PER_MS, Tiers
from originmap.domain.tier.topology import Colo, Topology

CATALOGUE = catalogue()
HUBS = {colo.code: colo for colo in hubs()}
EAST, OHIO = Place("aws", "us-east-1"), Place("aws", "us-east-2")
WEST = Place("aws", "us-west-2")
PLACES = tuple(Place(region.vendor, region.name) for region in CATALOGUE.regions())
AWS = tuple(place for place in PLACES if place.vendor == "aws")


def _topology(*colos: Colo, **origins: int) -> Topology:
    counts = {f"aws/{name.replace('_', '-')}": count for name, count in origins.items()}
    return Topology(colos, origins=counts)


def _chosen(topology: Topology, place: Place, fresh: Mapping[tuple[str, Place], float]) -> str:
    tier = Tiers(CATALOGUE, topology, fresh).of(place)
    assert tier is not None
    return tier.primary.colo.code


def test_the_cost_of_a_colo_is_added_to_its_latency() -> None:
    iad, ewr = replace(HUBS["IAD"], cost=5.0), HUBS["EWR"]
    measured = {("IAD", EAST): 1.0, ("EWR", EAST): 5.9}
    assert _chosen(Topology((iad, ewr)), EAST, measured) == "EWR"
    assert _chosen(Topology((replace(iad, cost=4.8), ewr)), EAST, measured) == "IAD"


def test_without_a_measurement_a_millisecond_is_a_hundred_kilometres() -> None:
    iad, ewr = HUBS["IAD"], HUBS["EWR"]  # 11 and 337 km
    assert _chosen(Topology((replace(iad, cost=3.2), ewr)), EAST, {}) == "IAD"
    assert _chosen(Topology((replace(iad, cost=3.3), ewr)), EAST, {}) == "EWR"


def test_the_cost_counts_for_each_region_of_a_pool() -> None:
    iad, ewr = replace(HUBS["IAD"], cost=4.0), HUBS["EWR"]
    measured = {(c, p): 1.0 if c == "IAD" else 4.0 for c in ("IAD", "EWR") for p in (EAST, OHIO)}
    tier = Tiers(CATALOGUE, Topology((iad, ewr)), measured).of_pool([EAST, OHIO])
    assert tier is not None
    assert tier.primary.colo.code == "EWR"


def test_the_reason_names_the_cost() -> None:
    tier = Tiers(CATALOGUE, Topology((replace(HUBS["IAD"], cost=0.5),)), {}).of(EAST)
    assert tier is not None
    assert tier.reason == "IAD: nearest to aws us-east-1, 11 km, at a cost of 0.5 ms"


def test_a_colo_with_its_share_takes_no_further_region() -> None:
    iad = replace(HUBS["IAD"], max_share=60.0)
    topology = _topology(iad, HUBS["SEA"], us_east_1=70, us_east_2=20, us_west_2=10)
    tiers = Tiers(CATALOGUE, topology, {})
    chosen = {place: tiers.of(place) for place in (EAST, OHIO, WEST)}
    assert {place: t.primary.colo.code for place, t in chosen.items() if t} == {
        EAST: "IAD", OHIO: "SEA", WEST: "SEA",
    }  # fmt: skip
    assert chosen[EAST] is not None
    assert chosen[OHIO] is not None
    assert chosen[EAST].reason == "IAD: nearest to aws us-east-1, 11 km"
    assert chosen[OHIO].reason.endswith("; IAD has the maximum share of origins")


def test_shares_are_per_vendor() -> None:
    iad = replace(HUBS["IAD"], max_share=60.0)
    topology = _topology(iad, HUBS["SEA"], us_east_1=70, us_east_2=20)
    assert _chosen(topology, Place("azure", "eastus"), {}) == "IAD"


def test_without_counted_origins_there_is_no_limit() -> None:
    iad = replace(HUBS["IAD"], max_share=1.0)
    assert {_chosen(Topology((iad, HUBS["SEA"])), place, {}) for place in (EAST, OHIO)} == {"IAD"}


def test_an_override_comes_before_the_share() -> None:
    iad = replace(HUBS["IAD"], max_share=10.0)
    topology = _topology(iad, HUBS["SEA"], us_east_1=70, us_east_2=20)
    override = replace(topology, overrides={"aws/us-east-2": ("IAD",)})
    assert _chosen(override, OHIO, {}) == "IAD"
    assert _chosen(topology, OHIO, {}) == "SEA"


def test_if_every_colo_has_its_share_the_best_one_is_chosen() -> None:
    colos = [replace(HUBS[code], max_share=10.0) for code in ("IAD", "SEA")]
    topology = _topology(*colos, us_east_1=40, us_east_2=40, us_west_2=20, eu_west_1=1)
    tier = Tiers(CATALOGUE, topology, {}).of(Place("aws", "eu-west-1"))
    assert tier is not None
    assert tier.primary.colo.code == "IAD"
    assert tier.reason.endswith("; IAD, SEA have the maximum share of origins, as all others")


LIMITS = st.sampled_from([5.0, 20.0, 50.0, 100.0])
COLOS = st.builds(
    replace,
    st.sampled_from(hubs()),
    cost=st.sampled_from([0.0, 1.0, 7.5, 40.0]),
    max_share=LIMITS,
)
NETWORKS = st.lists(COLOS, min_size=2, max_size=7, unique_by=lambda colo: colo.code)
ORIGINS = st.dictionaries(st.sampled_from(AWS), st.integers(0, 500), min_size=1, max_size=12)


def _costs(topology: Topology, fresh: Mapping[tuple[str, Place], float]) -> dict[Place, float]:
    tiers = Tiers(CATALOGUE, topology, fresh)
    costs = {}
    for place in AWS:
        tier = tiers.of(place)
        assert tier is not None
        best = tier.primary
        ms = best.distance_km / KM_PER_MS if best.latency_ms is None else best.latency_ms
        costs[place] = ms + best.colo.cost
    return costs


@given(NETWORKS, ORIGINS, st.randoms(use_true_random=False), st.booleans())
def test_adding_a_colo_never_increases_the_cost_of_any_region(
    network: list[Colo], origins: dict[Place, int], random: object, measured: bool
) -> None:
    """The total cost, weighted by origins, does not increase either. One colo has no limit, so that
    the limits can be met."""
    assume(any(colo.max_share == 100 for colo in network[1:]))
    counts = {f"{vendor}/{name}": count for (vendor, name), count in origins.items()}
    more = Topology(tuple(network), origins=counts)
    fewer = replace(more, colos=more.colos[1:])
    chance: Callable[[float, float], float] = random.uniform  # type: ignore[attr-defined]
    fresh = {(c.code, p): chance(0, 200) for c in network for p in AWS} if measured else {}
    before, after = _costs(fewer, fresh), _costs(more, fresh)
    assert all(after[place] <= before[place] + 1e-9 for place in AWS)
    total = {id(costs): sum(costs[p] * n for p, n in origins.items()) for costs in (before, after)}
    assert total[id(after)] <= total[id(before)] + 1e-6


@given(NETWORKS, ORIGINS)
def test_no_limited_colo_gets_a_region_above_its_share(
    network: list[Colo], origins: dict[Place, int]
) -> None:
    """The last region that it gets may exceed it, because a region is not divided."""
    assume(any(colo.max_share == 100 for colo in network))
    counts = {f"{vendor}/{name}": count for (vendor, name), count in origins.items()}
    tiers = Tiers(CATALOGUE, Topology(tuple(network), origins=counts), {})
    total = sum(origins.values())
    got: dict[str, list[int]] = {}
    for place, count in origins.items():
        tier = tiers.of(place)
        assert tier is not None
        got.setdefault(tier.primary.colo.code, []).append(count)
    for colo in network:
        some = got.get(colo.code, [])
        assert sum(some) - min(some, default=0) <= colo.max_share * total / 100
