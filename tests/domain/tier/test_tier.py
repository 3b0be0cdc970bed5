"""The upper-tier rule: worked examples, properties, and the packaged data."""

from collections.abc import Sequence
from dataclasses import replace
from math import pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.data import catalogue, hubs, topology
from originmap.domain.mapping.catalogue import Region
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.latency import Fresh
from originmap.domain.tier.tier import EARTH_RADIUS_KM, Basis, Tiers, distance_km, rank, tier_of
from originmap.domain.tier.topology import Colo, ColoState, Topology
from tests.builders import US_EAST, US_WEST, region_at, upper_tiers

LATITUDES = st.floats(-90, 90)
LONGITUDES = st.floats(-180, 180)
PLACES = st.builds(Colo, st.just("XXX"), st.just("Town"), st.just("US"), LATITUDES, LONGITUDES)
CODES = st.text("ABC", min_size=3, max_size=3)
# Few whole degrees in a small area: ties, neighbours and colos at one position are common.
CROWDED = st.builds(
    Colo,
    CODES,
    st.just("Town"),
    st.just("US"),
    st.integers(-2, 2).map(float),
    st.integers(-2, 2).map(float),
)
SCATTERED = st.builds(Colo, CODES, st.just("Town"), st.just("US"), LATITUDES, LONGITUDES)
TOPOLOGIES = st.lists(CROWDED | SCATTERED, max_size=12, unique_by=lambda colo: colo.code)
DISTANCES = st.sampled_from([0.0, 100.0, 150.0, 400.0, 20_000.0])


def colo(code: str, latitude: float, longitude: float) -> Colo:
    return Colo(code, "Town", "US", latitude, longitude)


def codes(vendor: str, name: str) -> list[str]:
    region = catalogue().find(vendor, name)
    assert region is not None
    return [tier.code for tier in upper_tiers(region, hubs())]


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        ((0, 0), (0, 1), EARTH_RADIUS_KM * pi / 180),
        ((0, 179.5), (0, -179.5), EARTH_RADIUS_KM * pi / 180),
        ((90, 0), (-90, 0), EARTH_RADIUS_KM * pi),
        ((90, 0), (90, 120), 0),
        ((0, 0), (0, 180), EARTH_RADIUS_KM * pi),
        ((-45, 90), (45, -90), EARTH_RADIUS_KM * pi),
    ],
)
def test_the_distance_of_known_points_is_correct(
    here: tuple[float, float], there: tuple[float, float], expected: float
) -> None:
    assert distance_km(colo("AAA", *here), colo("BBB", *there)) == pytest.approx(expected, abs=1e-3)


def test_london_and_paris_are_344_km_apart() -> None:
    london, paris = colo("LON", 51.5085, -0.1257), colo("PAR", 48.8534, 2.3488)
    assert distance_km(london, paris) == pytest.approx(343.7, abs=0.5)


@given(PLACES, PLACES)
def test_distance_is_the_same_both_ways_and_at_most_half_way_round(here: Colo, there: Colo) -> None:
    assert distance_km(here, there) == distance_km(there, here)
    assert 0 <= distance_km(here, there) <= EARTH_RADIUS_KM * pi
    assert distance_km(here, here) == 0


def test_a_fallback_too_near_the_upper_tier_is_skipped() -> None:
    near, beside, far = colo("NEA", 0, 1), colo("BES", 0, 2), colo("FAR", 0, 3)
    assert upper_tiers(colo("XXX", 0, 0), [far, beside, near]) == (near, far)


def test_every_fallback_is_far_enough_from_all_before_it() -> None:
    first, second, beside_first, third = (
        colo("AAA", 0, 1),
        colo("BBB", 0, -2),
        colo("CCC", 0, 2.1),
        colo("DDD", 0, 4),
    )
    chosen = upper_tiers(colo("XXX", 0, 0), [first, second, beside_first, third], count=3)
    assert chosen == (first, second, third)


def test_equal_distances_are_sorted_by_code() -> None:
    west, east = colo("BBB", 0, -1), colo("AAA", 0, 1)
    assert upper_tiers(colo("XXX", 0, 0), [west, east]) == (east, west)


def test_fewer_colos_are_chosen_if_there_are_not_enough() -> None:
    here, only, beside = colo("XXX", 0, 0), colo("AAA", 0, 1), colo("BBB", 0, 1.5)
    assert upper_tiers(here, []) == ()
    assert upper_tiers(here, [only, beside]) == (only,)
    assert upper_tiers(here, [only], count=0) == ()


@given(PLACES, TOPOLOGIES, DISTANCES)
def test_tiers_differ_and_are_far_enough_apart(
    region: Colo, colos: list[Colo], apart_km: float
) -> None:
    chosen = upper_tiers(region, colos, apart_km, count=3)
    assert len({tier.code for tier in chosen}) == len(chosen) <= 3
    for index, tier in enumerate(chosen):
        for earlier in chosen[:index]:
            assert distance_km(tier, earlier) >= apart_km


@given(PLACES, TOPOLOGIES, SCATTERED)
def test_a_further_colo_never_takes_the_upper_tier_farther_away(
    region: Colo, colos: list[Colo], added: Colo
) -> None:
    before, after = upper_tiers(region, colos), upper_tiers(region, [*colos, added])
    if before:
        assert distance_km(region, after[0]) <= distance_km(region, before[0])


@given(PLACES, st.data())
def test_the_order_of_the_colos_does_not_matter(region: Colo, data: st.DataObject) -> None:
    colos = data.draw(TOPOLOGIES)
    shuffled = data.draw(st.permutations(colos))
    assert upper_tiers(region, shuffled) == upper_tiers(region, colos)


@given(CROWDED | SCATTERED, TOPOLOGIES, DISTANCES, st.integers(0, 4))
def test_a_naive_scan_agrees(region: Colo, colos: list[Colo], apart_km: float, count: int) -> None:
    left = list(colos)
    expected: list[Colo] = []
    while left and len(expected) < count:
        best = left[0]
        for other in left[1:]:
            nearer = distance_km(region, other) - distance_km(region, best)
            if nearer < 0 or (nearer == 0 and other.code < best.code):
                best = other
        expected.append(best)
        left = [one for one in left if one != best and distance_km(one, best) >= apart_km]
    assert upper_tiers(region, colos, apart_km, count) == tuple(expected)


@pytest.mark.proves("P-SUP-3")
def test_the_published_examples_are_reproduced() -> None:
    assert codes("aws", "us-east-1") == ["IAD", "EWR"]
    assert codes("aws", "us-west-2")[0] == "SEA"
    assert codes("gcp", "us-central1")[0] == "ORD"


@pytest.mark.proves("P-SUP-4")
def test_every_region_has_an_upper_tier_and_a_fallback_150_km_apart() -> None:
    colos = hubs()
    for region in catalogue().regions():
        primary, fallback = upper_tiers(region, colos)
        assert distance_km(primary, fallback) >= 150, region


def test_only_chinese_regions_are_over_700_km_from_their_upper_tier() -> None:
    """No hub is in mainland China, whose networks are operated separately."""
    colos = hubs()
    remote = [
        region
        for region in catalogue().regions()
        if distance_km(region, upper_tiers(region, colos)[0]) > 700
    ]
    assert {region.country for region in remote} == {"CN"}


DRAINING, DOWN, RETIRED = ColoState.DRAINING, ColoState.DOWN, ColoState.RETIRED
NEAR, MIDDLE, FAR = colo("NEA", 0, 1), colo("MID", 0, 5), colo("FAR", 0, 20)
HERE = region_at(colo("XXX", 0, 0))
THERE = region_at(colo("YYY", 0, 20), name="us-west-2")
FIRST_FAR = {"aws/us-east-1": ("FAR",)}
STATES = st.sampled_from(ColoState)
COLOS_IN_STATES = st.lists(
    st.builds(
        lambda colo, state, eligible: replace(colo, state=state, eligible=eligible),
        CROWDED | SCATTERED,
        STATES,
        st.booleans(),
    ),
    max_size=10,
    unique_by=lambda colo: colo.code,
)
# A few milliseconds, so that ties are common; some pairs are not measured.
MEASURED = st.dictionaries(
    st.tuples(CODES, st.sampled_from([US_EAST, US_WEST])), st.integers(0, 3).map(float)
)
OVERRIDES = st.dictionaries(
    st.sampled_from(["aws/us-east-1", "aws/us-west-2"]), st.lists(CODES, max_size=3).map(tuple)
)


def ranked(
    regions: Sequence[Region], made: Topology, latencies: Fresh | None = None
) -> list[tuple[str, Basis]]:
    """The codes in order, each with its basis."""
    return [(r.colo.code, r.basis) for r in rank(regions, made, latencies or {})]


def test_an_override_ranks_before_a_latency_before_a_distance() -> None:
    made = Topology((NEAR, MIDDLE, FAR), FIRST_FAR)
    assert ranked([HERE], made, {("MID", US_EAST): 900.0}) == [
        ("FAR", Basis.OVERRIDE),
        ("MID", Basis.LATENCY),
        ("NEA", Basis.DISTANCE),
    ]


def test_overrides_rank_in_their_order_before_other_colos() -> None:
    made = Topology((NEAR, MIDDLE, FAR), {"aws/us-east-1": ("FAR", "MID", "FAR")})
    assert [code for code, _ in ranked([HERE], made, {("MID", US_EAST): 1.0})] == [
        "FAR", "MID", "NEA",
    ]  # fmt: skip


def test_an_override_and_a_latency_of_another_region_do_not_count() -> None:
    made = Topology((NEAR, FAR), {"aws/us-west-2": ("FAR",), "gcp/us-east-1": ("FAR",)})
    by_distance = [("NEA", Basis.DISTANCE), ("FAR", Basis.DISTANCE)]
    assert ranked([HERE], made, {("FAR", US_WEST): 1.0}) == by_distance


@pytest.mark.parametrize("latencies", [{}, {("FAR", US_EAST): 0.0}])
def test_a_draining_colo_ranks_after_every_active_one(
    latencies: Fresh,
) -> None:
    made = Topology((NEAR, MIDDLE, replace(FAR, state=DRAINING)), FIRST_FAR)
    assert [code for code, _ in ranked([HERE], made, latencies)] == ["NEA", "MID", "FAR"]


def test_draining_colos_are_chosen_if_there_is_no_active_one() -> None:
    drained = tuple(replace(one, state=DRAINING) for one in (NEAR, FAR))
    tier = tier_of([HERE], Topology(drained), {})
    assert [r.colo.code for r in tier.chosen] == ["NEA", "FAR"]
    assert tier.reason.endswith("; all others are draining too")


@pytest.mark.parametrize(
    "out",
    [
        replace(NEAR, state=DOWN),
        replace(NEAR, state=RETIRED),
        replace(NEAR, eligible=False),
        replace(NEAR, eligible=False, state=DRAINING),
    ],
)
def test_down_retired_and_ineligible_colos_are_never_chosen(out: Colo) -> None:
    made = Topology((out, FAR), {"aws/us-east-1": ("NEA",)})
    assert ranked([HERE], made, {("NEA", US_EAST): 0.0}) == [("FAR", Basis.DISTANCE)]


@given(COLOS_IN_STATES, OVERRIDES, MEASURED)
def test_every_active_colo_ranks_before_every_draining_one(
    colos: list[Colo], overrides: dict[str, tuple[str, ...]], latencies: Fresh
) -> None:
    found = [r.colo for r in rank([HERE], Topology(tuple(colos), overrides), latencies)]
    states = [one.state for one in found]
    assert states == sorted(states)  # "active" before "draining"
    usable = {o.code for o in colos if o.eligible and o.state in ("active", "draining")}
    assert {one.code for one in found} == usable


def test_a_retired_colo_in_an_override_is_replaced_by_its_successor() -> None:
    old = replace(MIDDLE, state=RETIRED, successor="FAR")
    made = Topology((NEAR, old, FAR), {"aws/us-east-1": ("MID",)})
    assert ranked([HERE], made)[0] == ("FAR", Basis.OVERRIDE)
    alone = Topology((NEAR, replace(old, successor=None), FAR), {"aws/us-east-1": ("MID",)})
    assert ranked([HERE], alone)[0] == ("NEA", Basis.DISTANCE)


def test_equal_latencies_are_sorted_by_code() -> None:
    same: Fresh = {(one.code, US_EAST): 7.0 for one in (NEAR, MIDDLE, FAR)}
    found = ranked([HERE], Topology((NEAR, MIDDLE, FAR)), same)
    assert [code for code, _ in found] == ["FAR", "MID", "NEA"]


def test_a_pool_uses_the_colo_with_the_lowest_total_cost() -> None:
    """The colo in the middle is best for neither region."""
    centre, aside = colo("CEN", 0, 10), colo("ASI", 20, 0)
    tier = tier_of([HERE, HERE, THERE], Topology((aside, centre)), {})
    assert tier.primary.colo == centre
    expected = 2 * distance_km(HERE, centre) + distance_km(THERE, centre)
    assert tier.primary.distance_km == pytest.approx(expected)


def test_a_pool_uses_a_latency_only_if_measured_for_every_region() -> None:
    made = Topology((NEAR, FAR))
    half: Fresh = {("FAR", US_EAST): 1.0}
    assert ranked([HERE, THERE], made, half)[0][1] is Basis.DISTANCE
    both: Fresh = {**half, ("FAR", US_WEST): 2.0}
    best = rank([HERE, THERE], made, both)[0]
    assert (best.colo, best.basis, best.latency_ms) == (FAR, Basis.LATENCY, 3.0)


def test_a_pool_uses_an_override_only_if_every_region_has_it() -> None:
    one = Topology((NEAR, FAR), FIRST_FAR)
    assert ranked([HERE, HERE], one)[0] == ("FAR", Basis.OVERRIDE)
    assert ranked([HERE, HERE, THERE], one)[0] == ("NEA", Basis.DISTANCE)


@given(st.lists(SCATTERED, min_size=1, max_size=4), COLOS_IN_STATES, MEASURED)
def test_a_naive_scan_for_a_pool_agrees(
    places: list[Colo], colos: list[Colo], latencies: Fresh
) -> None:
    names = ("us-east-1", "us-west-2")
    regions = [region_at(p, name=names[i % 2]) for i, p in enumerate(places)]
    left = [one for one in colos if one.usable]
    expected = []
    while left:
        best = left[0]
        for other in left[1:]:
            if _cost(other, regions, latencies) < _cost(best, regions, latencies):
                best = other
        expected.append(best)
        left.remove(best)
    found = rank(regions, Topology(tuple(colos)), latencies)
    assert [r.colo for r in found] == expected


def _cost(one: Colo, regions: Sequence[Region], latencies: Fresh) -> tuple[bool, bool, float, str]:
    """The cost of a colo; lower is better."""
    milliseconds = 0.0
    for region in regions:
        key = (one.code, Place(region.vendor, region.name))
        if key not in latencies:
            kilometres = sum(distance_km(r, one) for r in regions)
            return one.draining, True, kilometres, one.code
        milliseconds += latencies[key]
    return one.draining, False, milliseconds, one.code


@given(COLOS_IN_STATES, OVERRIDES, MEASURED, DISTANCES, st.data())
def test_the_order_of_the_colos_does_not_matter_with_states_overrides_and_latencies(
    colos: list[Colo],
    overrides: dict[str, tuple[str, ...]],
    latencies: Fresh,
    apart_km: float,
    data: st.DataObject,
) -> None:
    made = Topology(tuple(colos), overrides, apart_km)
    if not made.eligible():
        return
    shuffled = replace(made, colos=tuple(data.draw(st.permutations(colos))))
    tier = tier_of([HERE], made, latencies)
    assert tier_of([HERE], shuffled, latencies) == tier
    for fallback in tier.fallbacks:
        assert fallback.colo.code != tier.primary.colo.code
        assert distance_km(fallback.colo, tier.primary.colo) >= apart_km


@pytest.mark.parametrize("fallbacks", [0, 1, 2])
def test_there_are_as_many_fallbacks_as_the_topology_says(fallbacks: int) -> None:
    tier = tier_of([HERE], Topology((NEAR, MIDDLE, FAR), fallbacks=fallbacks), {})
    assert [r.colo for r in tier.fallbacks] == [MIDDLE, FAR][:fallbacks]


@pytest.mark.parametrize(
    ("overrides", "latencies", "regions", "reason"),
    [
        ({}, {}, [HERE], "NEA: nearest to aws us-east-1, 111 km"),
        ({}, {("FAR", US_EAST): 12.5}, [HERE], "FAR: 12.5 ms measured to aws us-east-1"),
        (FIRST_FAR, {}, [HERE], "FAR: an override names it for aws us-east-1"),
        ({}, {}, [HERE] * 5, "NEA: nearest to aws us-east-1, 556 km in all"),
        (
            {}, {("FAR", US_EAST): 1.0, ("FAR", US_WEST): 2.0}, [HERE, THERE],
            "FAR: 3 ms measured in all to aws us-east-1 and aws us-west-2",
        ),
    ],
)  # fmt: skip
def test_the_reason_is_explained(
    overrides: dict[str, tuple[str, ...]], latencies: Fresh, regions: list[Region], reason: str
) -> None:
    assert tier_of(regions, Topology((NEAR, FAR), overrides), latencies).reason == reason


def test_a_reason_names_three_regions_at_most() -> None:
    regions = [region_at(NEAR, name=f"r-{n}") for n in range(4)]
    reason = tier_of(regions, Topology((NEAR,)), {}).reason
    assert reason == "NEA: nearest to aws r-0 and aws r-1 and aws r-2 and others, 0 km in all"


def test_every_region_has_a_tier_under_the_packaged_topology() -> None:
    regions = catalogue()
    tiers = Tiers(regions, topology(), {})
    for region in regions.regions():
        place = Place(region.vendor, region.name)
        tier = tiers.of(place)
        assert tier is not None
        assert len(tier.chosen) == 2
        assert tiers.codes(place) == tuple(r.colo.code for r in tier.chosen)
        assert tiers.of(place) is tier


def test_an_unknown_region_has_no_tier_and_every_eligible_colo() -> None:
    tiers = Tiers(catalogue(), topology(), {})
    unknown = Place("aws", "mars-north-1")
    assert tiers.of(unknown) is None
    assert tiers.of_pool([unknown, unknown]) is None
    assert tiers.of_pool([]) is None
    assert tiers.codes(unknown) == tiers.eligible == tuple(hub.code for hub in hubs())


def test_a_pool_leaves_unknown_regions_out() -> None:
    tiers = Tiers(catalogue(), topology(), {})
    pool = tiers.of_pool([US_EAST, Place("aws", "mars-north-1")])
    assert pool == tiers.of(US_EAST)


# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/origin-shield.html
SHIELDS = (
    "us-east-2", "us-east-1", "us-west-2", "ap-south-1", "ap-northeast-2", "ap-southeast-1",
    "ap-southeast-2", "ap-northeast-1", "eu-central-1", "eu-west-1", "eu-west-2", "sa-east-1",
)  # fmt: skip


def test_each_region_with_its_own_shield_gets_it() -> None:
    """CloudFront's published table, with a colo at each of the 12 shields."""
    found = {name: catalogue().find("aws", name) for name in SHIELDS}
    shields = {
        name: colo(f"R{n:02}", region.latitude, region.longitude)
        for n, (name, region) in enumerate(found.items())
        if region is not None
    }
    tiers = Tiers(catalogue(), Topology(tuple(shields.values())), {})
    assert {name: tiers.codes(Place("aws", name))[0] for name in SHIELDS} == {
        name: shield.code for name, shield in shields.items()
    }
