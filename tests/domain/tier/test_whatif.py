"""What-if checks: the moves between two topologies, cold ones first."""

from dataclasses import replace

from originmap import data
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.tier import Tiers
from originmap.domain.tier.topology import ColoState, Topology
from originmap.domain.tier.topology_problems import with_states
from originmap.domain.tier.whatif import Count, Move, moves
from originmap.domain.zone.zone import Switch
from tests.builders import CENTRAL, US_EAST, US_WEST, zone

CATALOGUE, TOPOLOGY = data.catalogue(), data.topology()
COUNTS = [Count("z1", US_EAST, 5), Count("z1", US_WEST, 9)]
IAD_DOWN = with_states(TOPOLOGY, {"IAD": ColoState.DOWN})


def _moves(
    after: Topology, counts: list[Count] = COUNTS, *, tiered: bool = True, smart: bool = True
) -> list[Move]:
    settings = {"tiered_cache": Switch(tiered), "smart_tiered_cache": Switch(smart)}
    before = Tiers(CATALOGUE, TOPOLOGY, {})
    return moves(replace(zone("z1"), **settings), counts, before, Tiers(CATALOGUE, after, {}))


def test_nothing_moves_if_nothing_changes() -> None:
    assert _moves(TOPOLOGY) == []
    assert _moves(with_states(TOPOLOGY, {"SYD": ColoState.DOWN})) == []


def test_origins_of_a_drained_colo_move_to_the_next_colo() -> None:
    found = _moves(with_states(TOPOLOGY, {"IAD": ColoState.DRAINING}))
    assert found == [Move("z1", US_EAST, 5, ("IAD", "EWR"), ("EWR", "YYZ"))]
    assert all(move.cold for move in found)


def test_losing_a_fallback_is_not_a_cold_move() -> None:
    (first, *_) = found = _moves(with_states(TOPOLOGY, {"EWR": ColoState.DOWN}))
    assert {move.place for move in found} == {US_EAST}
    assert (first.before[0], first.after[0], first.cold) == ("IAD", "IAD", False)


def test_cold_moves_come_before_others() -> None:
    after = with_states(TOPOLOGY, {"EWR": ColoState.DOWN, "ORD": ColoState.DOWN})
    found = _moves(after, [Count("z1", US_EAST, 900), Count("z1", CENTRAL, 1)])
    assert [(move.place, move.cold) for move in found] == [(CENTRAL, True), (US_EAST, False)]


def test_an_origin_in_an_unknown_region_has_no_upper_tier_to_move_from() -> None:
    assert _moves(IAD_DOWN, [Count("z1", Place("aws", "nowhere"), 3)]) == []


def test_origins_of_a_zone_without_tiered_cache_do_not_move() -> None:
    assert _moves(IAD_DOWN, tiered=False) == []
    assert _moves(IAD_DOWN, smart=False) == []
