"""The wave of cache misses that a plan makes."""

from originmap import data
from originmap.domain.plan.plan import plan_of, plan_zone
from originmap.domain.rollout.stage import Wave, waves
from originmap.domain.tier.tier import Tiers
from tests.builders import CENTRAL, US_EAST, US_WEST, ip

TIERS = Tiers(data.catalogue(), data.topology(), {})
IAD, WEST, ORD = (TIERS.codes(place)[0] for place in (US_EAST, US_WEST, CENTRAL))


def found(desired, live) -> list[Wave]:
    return waves(plan_of([plan_zone("0" * 32, "example.com", desired, live)]), TIERS)


def test_origins_are_counted_by_upper_tier_move() -> None:
    a, b, c, d = (ip(f"192.0.2.{n}") for n in range(1, 5))
    live = {a: US_EAST, b: US_EAST, c: CENTRAL}
    desired = {a: US_WEST, b: US_WEST, d: CENTRAL}
    assert found(desired, live) == [
        Wave("example.com", IAD, WEST, 2),
        Wave("example.com", None, ORD, 1),
        Wave("example.com", ORD, None, 1),
    ]


def test_another_region_with_the_same_upper_tier_moves_no_origin() -> None:
    nearby = next(
        place
        for region in data.catalogue().regions("azure")
        if TIERS.codes(place := type(US_EAST)("azure", region.name))[0] == IAD
    )
    assert found({ip("192.0.2.1"): nearby}, {ip("192.0.2.1"): US_EAST}) == []
