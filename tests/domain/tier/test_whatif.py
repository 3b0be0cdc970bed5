"""What-if checks: the moves between two topologies, cold ones first."""

from originmap import data
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.tier import Tiers
from originmap.domain.tier.topology import ColoState, Topology
from originmap.domain.tier.topology_problems import with_states
from originmap.domain.tier.whatif import Count, Move, moves
from tests.builders import CENTRAL, US_EAST, US_WEST

CATALOGUE, TOPOLOGY = data.catalogue(), data.topology()
COUNTS = [Count("z1", US_EAST, 5), Count("z1", US_WEST, 9), Count("z2", US_EAST, 7)]


def _moves(after: Topology, counts: list[Count] = COUNTS) -> list[Move]:
    before = Tiers(CATALOGUE, TOPOLOGY, {})
    return moves(counts, before, Tiers(CATALOGUE, after, {}))


def test_nothing_moves_if_nothing_changes() -> None:
    assert _moves(TOPOLOGY) == []
    assert _moves(with_states(TOPOLOGY, {"SYD": ColoState.DOWN})) == []


def test_origins_of_a_drained_colo_move_to_the_next_colo() -> None:
    found = _moves(with_states(TOPOLOGY, {"IAD": ColoState.DRAINING}))
    assert found == [
        Move("z2", US_EAST, 7, ("IAD", "EWR"), ("EWR", "YYZ")),
        Move("z1", US_EAST, 5, ("IAD", "EWR"), ("EWR", "YYZ")),
    ]
    assert all(move.cold for move in found)


def test_losing_a_fallback_is_not_a_cold_move() -> None:
    (first, *_) = found = _moves(with_states(TOPOLOGY, {"EWR": ColoState.DOWN}))
    assert {move.place for move in found} == {US_EAST}
    assert (first.before[0], first.after[0], first.cold) == ("IAD", "IAD", False)


def test_cold_moves_come_before_others() -> None:
    after = with_states(TOPOLOGY, {"EWR": ColoState.DOWN, "ORD": ColoState.DOWN})
    found = _moves(after, [Count("z1", US_EAST, 900), Count("z1", CENTRAL, 1)])
    assert [(move.place, move.cold) for move in found] == [(CENTRAL, True), (US_EAST, False)]


def test_an_unknown_region_moves_with_the_eligible_colos() -> None:
    count = Count("z1", Place("aws", "nowhere"), 3)
    (move,) = _moves(with_states(TOPOLOGY, {"IAD": ColoState.DOWN}), [count])
    assert (len(move.before), len(move.after)) == (75, 74)
