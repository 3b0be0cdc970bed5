"""Cold-cache moves of a plan."""

from originmap import data
from originmap.domain.plan.cold_moves import ColdMove, Pooled, cold_moves
from originmap.domain.plan.plan import PoolsPlan, plan_of, plan_zone
from originmap.domain.tier.tier import Tiers
from originmap.domain.zone.pool import Pool
from tests.builders import CENTRAL, US_EAST, US_WEST, ip

TIERS = Tiers(data.catalogue(), data.topology(), {})
IAD, WEST, ORD = (TIERS.codes(place)[0] for place in (US_EAST, US_WEST, CENTRAL))


def moves_of(desired, live) -> list[ColdMove]:
    return cold_moves(plan_of([plan_zone("0" * 32, "example.com", desired, live)]), TIERS)


def test_origins_are_counted_by_their_new_upper_tier() -> None:
    a, b, c, d = (ip(f"192.0.2.{n}") for n in range(1, 5))
    live = {a: US_EAST, b: US_EAST, c: CENTRAL}
    desired = {a: US_WEST, b: US_WEST, d: CENTRAL}
    assert moves_of(desired, live) == [
        ColdMove("example.com", IAD, WEST, 2),
        ColdMove("example.com", None, ORD, 1),
        ColdMove("example.com", ORD, None, 1),
    ]


def test_another_region_with_the_same_upper_tier_is_not_a_move() -> None:
    nearby = next(
        place
        for region in data.catalogue().regions("azure")
        if TIERS.codes(place := type(US_EAST)("azure", region.name))[0] == IAD
    )
    assert moves_of({ip("192.0.2.1"): nearby}, {ip("192.0.2.1"): US_EAST}) == []


def test_a_change_of_one_member_can_move_its_whole_pool() -> None:
    a, b, c = (ip(f"192.0.2.{n}") for n in range(1, 4))
    live = {a: US_EAST, b: US_EAST}
    pool = (Pool("web", ("192.0.2.1", "192.0.2.2", "192.0.2.3")),)
    zone = plan_zone("0" * 32, "example.com", {a: US_WEST, b: US_WEST}, live)
    pooled = {zone.id: Pooled(PoolsPlan(pool, pool), live)}
    assert cold_moves(plan_of([zone]), TIERS, pooled) == [ColdMove("example.com", IAD, WEST, 3)]
    one = plan_zone("0" * 32, "example.com", {**live, c: US_EAST}, live)
    assert cold_moves(plan_of([one]), TIERS, pooled) == []


def test_a_pool_that_is_added_moves_members_without_a_changed_mapping() -> None:
    live = {ip("192.0.2.1"): US_EAST}
    zone = plan_zone("0" * 32, "example.com", live, live)
    pooled = {zone.id: Pooled(PoolsPlan((), (Pool("web", ("192.0.2.1", "192.0.2.2")),)), live)}
    assert cold_moves(plan_of([zone]), TIERS, pooled) == [ColdMove("example.com", None, IAD, 1)]
