"""Changes of single caches in a topology."""

import pytest

from originmap.domain.errors import InvalidTopology
from originmap.domain.tier.cache import Cache, CacheState
from originmap.domain.tier.cache_changes import CacheChange, CacheChanges, caches_of
from originmap.domain.tier.topology import Colo, ColoState, Topology
from originmap.domain.tier.topology_problems import with_changes
from originmap.domain.tier.topology_rules import change_topology

ONE, TWO = Cache("iad-1", "192.0.2.1"), Cache("iad-2", "192.0.2.2", 8080, 2, tags=("nvme",))
TOPOLOGY = Topology(
    (Colo("IAD", "Ashburn", "US", 39, -77, caches=(ONE, TWO)), Colo("EWR", "Newark", "US", 40, -74))
)


def changed(changes: CacheChanges) -> dict[str, tuple[str, Cache]]:
    """The caches after changes, each with its colo."""
    return caches_of(with_changes(TOPOLOGY, {}, changes))


def problems(changes: CacheChanges, **states: ColoState) -> list[str]:
    """What is wrong with these changes."""
    with pytest.raises(InvalidTopology) as refused:
        with_changes(TOPOLOGY, states, changes)
    return list(refused.value.problems)


def test_a_value_is_set_and_the_others_stay() -> None:
    after = changed({"iad-2": CacheChange(weight=5, state=CacheState.DRAINING)})
    moved = Cache("iad-2", "192.0.2.2", 8080, 5, CacheState.DRAINING, ("nvme",))
    assert after == {"iad-1": ("IAD", ONE), "iad-2": ("IAD", moved)}
    assert changed({"iad-2": CacheChange(tags=())})["iad-2"][1].tags == ()
    assert changed({"iad-1": CacheChange()}) == caches_of(TOPOLOGY)


def test_caches_are_added_moved_and_removed_in_one_change() -> None:
    after = changed(
        {
            "iad-1": None,
            "iad-2": CacheChange(colo="EWR"),
            "ewr-1": CacheChange("EWR", "192.0.2.1", weight=3),
        }
    )
    assert after == {"iad-2": ("EWR", TWO), "ewr-1": ("EWR", Cache("ewr-1", "192.0.2.1", 80, 3))}


def test_unknown_caches_are_named_with_similar_names() -> None:
    assert problems({"iad-3": CacheChange(weight=2), "zzz": None, "new": CacheChange("IAD")}) == [
        "there is no cache iad-3 (similar names: iad-2, iad-1): to add it, give colo and address",
        "there is no cache zzz",
        "there is no cache new: to add it, give colo and address",
    ]


def test_only_the_first_of_many_problems_are_reported() -> None:
    assert len(problems({f"x-{number}": None for number in range(20_000)})) == 100
    assert problems({f"x-{number}": None for number in range(20_001)}) == [
        "20,001 caches to change; the limit is 20,000"
    ]


def test_all_problems_of_states_and_caches_are_reported_together() -> None:
    found = problems(
        {
            "iad-1": CacheChange(weight=999),
            "iad-2": CacheChange("XYZ"),
            "ewr-1": CacheChange("EWR", "192.0.2.1", 0),
        },
        SEA=ColoState.DOWN,
    )
    assert found == [
        "cache iad-2: there is no colo XYZ",
        "there is no colo SEA",
        "colo IAD: cache iad-1: weight must be between 1 and 256",
        "colo EWR: cache ewr-1: port must be between 1 and 65535",
    ]


def test_the_last_serving_cache_of_the_last_colo_cannot_go_down() -> None:
    down = dict.fromkeys(("iad-1", "iad-2"), CacheChange(state=CacheState.DOWN))
    assert "no colo can be an upper tier" in problems(down, EWR=ColoState.DOWN)[0]
    assert caches_of(with_changes(TOPOLOGY, {}, down))["iad-1"][1].state is CacheState.DOWN


def test_changes_that_change_nothing_leave_the_default_a_default() -> None:
    same = {"iad-1": CacheChange(address="192.0.2.1", port=80)}
    assert change_topology({}, same, TOPOLOGY)({}).changes == ()
    (change,) = change_topology({}, {"iad-1": None}, TOPOLOGY)({}).changes
    assert (change.before, change.after) == (None, with_changes(TOPOLOGY, {}, {"iad-1": None}))
