"""The packaged topology: the hubs that serve as upper tiers until the operator says otherwise."""

from dataclasses import replace
from typing import Any

import pytest

from originmap.data import hubs
from originmap.domain.errors import InvalidTopology
from originmap.domain.tier.topology import Colo, ColoState, Topology
from originmap.domain.tier.topology_problems import check, with_states
from originmap.domain.tier.topology_rules import change_topology


def test_there_are_75_hubs_sorted_by_code() -> None:
    codes = [hub.code for hub in hubs()]
    assert len(codes) == len(set(codes)) == 75
    assert codes == sorted(codes)


def test_every_hub_is_named_by_an_iata_code_and_has_a_city() -> None:
    for hub in hubs():
        assert len(hub.code) == 3, hub
        assert hub.code.isascii(), hub
        assert hub.code.isalpha(), hub
        assert hub.code.isupper(), hub
        assert hub.city, hub


def test_every_inhabited_continent_has_hubs() -> None:
    """One metro area each, so that a region added anywhere finds a colo in its own part of the
    world.
    """
    codes = {hub.code for hub in hubs()}
    assert {"JNB", "NBO", "LOS", "SIN", "FRA", "DXB", "SYD", "PER", "IAD", "MIA", "GRU"} <= codes


def _colo(code: str, **members: Any) -> Colo:
    return Colo(code, "Town", "US", 1.0, 2.0, **members)


def test_all_problems_are_reported_together() -> None:
    wrong = Topology(
        (_colo("iad"), _colo("EWR"), _colo("EWR"), replace(_colo("SEA"), latitude=91.0),
         _colo("LAX", successor="LAX"), _colo("SJC", successor="NOPE")),
        overrides={"aws": ("EWR",), "aws/us-east-1": (), "aws/us-west-2": ("NOPE",)},
        apart_km=-1.0, fallbacks=11, latency_seconds=0,
    )  # fmt: skip
    with pytest.raises(InvalidTopology) as caught:
        check(wrong)
    assert len(caught.value.problems) == 11


TWO = Topology((_colo("IAD"), _colo("EWR")))


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"overrides": {"aws/x": ("IAD",) * 20_001}}, "20,001 colos in overrides, hubs and"),
        ({"hubs": {"north": ("IAD",) * 20_001}}, "20,001 colos in overrides, hubs and"),
        ({"generic_pool": ("IAD",) * 20_001}, "20,001 colos in overrides, hubs and"),
        ({"overrides": {f"aws/{n}": ("IAD",) for n in range(5_001)}}, "5,001 overrides; the limit"),
        ({"hubs": {f"{n}": ("IAD",) for n in range(1_001)}}, "1,001 regions with hubs; the limit"),
        ({"origins": {f"aws/{n}": 1 for n in range(5_001)}}, "5,001 regions in origins; the limit"),
    ],
)
def test_a_topology_that_is_too_large_has_no_other_problem(
    members: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidTopology, match=problem) as caught:
        check(replace(TWO, fallbacks=-1, **members))
    assert len(caught.value.problems) == 1


def test_a_large_generic_pool_is_looked_through_once() -> None:
    """A colo is not looked for in the whole list."""
    hashed = replace(TWO, generic_pool=("IAD",) * 20_000)
    assert [colo.code for colo in check(hashed).pool()] == ["IAD"]


def test_only_the_first_problems_are_reported_and_long_ones_are_cut() -> None:
    wrong = replace(
        TWO,
        overrides={"aws/us-east-1": ("NOPE",) * 5_000},
        hubs={"x" * 10_000: ("IAD",)},
    )
    with pytest.raises(InvalidTopology) as caught:
        check(wrong)
    assert len(caught.value.problems) == 100
    with pytest.raises(InvalidTopology) as caught:
        check(replace(wrong, overrides={}))
    assert [len(problem) for problem in caught.value.problems] == [500]


def test_a_change_of_too_many_states_is_refused() -> None:
    states = {f"X{number}": ColoState.DOWN for number in range(1_001)}
    with pytest.raises(InvalidTopology, match="1,001 states; the limit is 1,000"):
        with_states(TWO, states)
    del states["X0"]
    with pytest.raises(InvalidTopology) as caught:
        with_states(TWO, states)
    assert len(caught.value.problems) == 100


@pytest.mark.parametrize("country", ["", "us", "USA", "U", "ÄÖ", "U1", "US\n"])
def test_a_country_is_two_capital_letters(country: str) -> None:
    with pytest.raises(InvalidTopology, match="colo IAD: country must be 2 capital letters"):
        check(Topology((replace(_colo("IAD"), country=country),)))


def test_the_lifetime_of_measurements_is_bounded() -> None:
    check(Topology((_colo("IAD"),), latency_seconds=10**9))
    with pytest.raises(InvalidTopology, match="latency_seconds must be between 1 and 1000000000"):
        check(Topology((_colo("IAD"),), latency_seconds=10**9 + 1))


@pytest.mark.parametrize(
    "colos",
    [
        (),
        (_colo("IAD", eligible=False),),
        (_colo("IAD", state=ColoState.DOWN), _colo("EWR", state=ColoState.RETIRED)),
    ],
)
def test_a_topology_without_a_possible_upper_tier_is_rejected(
    colos: tuple[Colo, ...],
) -> None:
    with pytest.raises(InvalidTopology, match="no colo can be an upper tier"):
        check(Topology(colos))


def test_states_change_by_code_and_the_last_usable_colo_stays() -> None:
    two = Topology((_colo("IAD"), _colo("EWR")))
    drained = with_states(two, {"IAD": ColoState.DRAINING})
    assert [colo.code for colo in drained.eligible()] == ["EWR", "IAD"]
    assert with_states(drained, {"IAD": ColoState.ACTIVE}) == two
    with pytest.raises(InvalidTopology, match="no colo"):
        with_states(two, {"IAD": ColoState.DOWN, "EWR": ColoState.DOWN})
    with pytest.raises(InvalidTopology, match="there is no colo SEA"):
        with_states(two, {"SEA": ColoState.DOWN})


def test_states_that_change_nothing_leave_the_default_a_default() -> None:
    """Otherwise the packaged topology of a later version would never apply."""
    default = Topology((_colo("IAD"), _colo("EWR")))
    for states in ({}, {"IAD": ColoState.ACTIVE}):
        decision = change_topology(states, {}, default)({})
        assert (decision.changes, decision.outcome) == ((), default)
    (change,) = change_topology({"IAD": ColoState.DOWN}, {}, default)({}).changes
    assert (change.before, change.after) == (None, with_states(default, {"IAD": ColoState.DOWN}))


def _retired(code: str, successor: str) -> Colo:
    return _colo(code, state=ColoState.RETIRED, successor=successor)


def test_successors_are_followed_and_cycles_end() -> None:
    active = _colo("DD", successor="CC")
    chain = Topology((_retired("AA", "BB"), _retired("BB", "CC"), _colo("CC"), active))
    found = [chain.successors().get(code, code) for code in ("AA", "BB", "CC", "DD")]
    assert found == ["CC", "CC", "CC", "DD"]
    circle = Topology((_retired("AA", "BB"), _retired("BB", "AA")))
    assert circle.successors().get("AA", "AA") in ("AA", "BB")
