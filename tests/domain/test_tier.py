"""The rule of the upper tiers: on worked examples, as properties, and on the packaged facts."""

from math import pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.data import catalogue, hubs
from originmap.domain.tier import EARTH_RADIUS_KM, distance_km
from originmap.domain.topology import Colo
from tests.builders import upper_tiers

LATITUDES = st.floats(-90, 90)
LONGITUDES = st.floats(-180, 180)
PLACES = st.builds(Colo, st.just("XXX"), st.just("Town"), st.just("US"), LATITUDES, LONGITUDES)
CODES = st.text("ABC", min_size=3, max_size=3)
# Few whole degrees on a small patch: ties, neighbours and colos in one spot are common.
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
def test_distance_of_known_points(
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


def test_a_fallback_too_near_the_upper_tier_is_passed_over() -> None:
    near, beside, far = colo("NEA", 0, 1), colo("BES", 0, 2), colo("FAR", 0, 3)
    assert upper_tiers(colo("XXX", 0, 0), [far, beside, near]) == (near, far)


def test_every_further_tier_is_clear_of_all_before_it() -> None:
    first, second, beside_first, third = (
        colo("AAA", 0, 1),
        colo("BBB", 0, -2),
        colo("CCC", 0, 2.1),
        colo("DDD", 0, 4),
    )
    chosen = upper_tiers(colo("XXX", 0, 0), [first, second, beside_first, third], count=3)
    assert chosen == (first, second, third)


def test_of_two_colos_equally_far_the_lower_code_is_first() -> None:
    west, east = colo("BBB", 0, -1), colo("AAA", 0, 1)
    assert upper_tiers(colo("XXX", 0, 0), [west, east]) == (east, west)


def test_fewer_tiers_come_back_when_the_colos_do_not_allow_more() -> None:
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
def test_the_published_examples_come_out() -> None:
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
    """No hub lies in mainland China, whose networks are run apart."""
    colos = hubs()
    remote = [
        region
        for region in catalogue().regions()
        if distance_km(region, upper_tiers(region, colos)[0]) > 700
    ]
    assert {region.country for region in remote} == {"CN"}
