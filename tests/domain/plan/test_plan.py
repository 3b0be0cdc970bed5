"""Plans: what they make of what there is, their digest, and the requests they take."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from originmap.domain.mapping.mapping import MAX_MAPPINGS, MappingChange
from originmap.domain.plan.plan import (
    applied,
    batches,
    fingerprint,
    plan_of,
    plan_zone,
    remaining,
    replanned,
)
from originmap.domain.plan.selection import Selection, pattern
from tests.builders import CENTRAL, US_EAST, US_WEST, ip, ips
from tests.planning.states import PLACES, addresses, states

ID = "0" * 32


def planned(desired, live, **selection):
    return plan_zone(ID, "example.com", desired, live, Selection(**selection))


@given(states, states)
def test_a_plan_turns_the_live_mappings_into_the_wanted_ones(desired, live) -> None:
    assert applied(planned(desired, live).changes, live) == desired


@given(states, states)
def test_the_plan_after_an_apply_is_empty(desired, live) -> None:
    after = applied(planned(desired, live).changes, live)
    assert plan_of([planned(desired, after)]).empty


@given(states)
def test_the_plan_of_what_there_is_is_empty(state) -> None:
    assert plan_of([planned(state, state)]).empty


@given(states, states)
def test_changes_are_sorted_and_name_each_address_once(desired, live) -> None:
    found = [change.address for change in planned(desired, live).changes]
    assert found == sorted(set(found))


@given(states, states)
def test_a_digest_is_the_same_for_the_same_plan_in_any_order(desired, live) -> None:
    shuffled = dict(reversed(desired.items())), dict(reversed(live.items()))
    assert plan_of([planned(desired, live)]).digest == plan_of([planned(*shuffled)]).digest


@given(states, states, addresses, st.sampled_from([None, *PLACES]), st.booleans())
def test_a_digest_changes_with_every_difference(desired, live, address, place, of_live) -> None:
    before = plan_of([planned(desired, live)]).digest
    changed = applied([MappingChange(address, None, place)], live if of_live else desired)
    after = planned(desired, changed) if of_live else planned(changed, live)
    same = changed == (live if of_live else desired)
    assert (plan_of([after]).digest == before) == same


def test_a_digest_differs_between_zones() -> None:
    here = plan_zone("0" * 32, "a", {ip("192.0.2.1"): US_EAST}, {})
    there = plan_zone("1" * 32, "a", {ip("192.0.2.1"): US_EAST}, {})
    digests = {plan_of([here]).digest, plan_of([there]).digest, plan_of([here, there]).digest}
    assert len(digests) == 3
    assert plan_of([here, there]).digest == plan_of([there, here]).digest


@given(states, states)
def test_a_saved_plan_is_the_same_while_nothing_changed(desired, live) -> None:
    saved = planned(desired, live)
    assert replanned(saved, live) == saved


@given(states, states, states)
def test_a_saved_plan_is_another_when_something_changed(desired, live, later) -> None:
    saved = planned(desired, live)
    again = replanned(saved, later)
    assert (plan_of([again]).digest == plan_of([saved]).digest) == (live == later)


@given(states, states, st.data())
def test_a_plan_that_was_begun_is_the_same_in_the_middle_of_its_work(desired, live, data) -> None:
    saved = planned(desired, live)
    flags = data.draw(st.lists(st.booleans(), min_size=len(saved.changes)))
    some = [change for change, made in zip(saved.changes, flags, strict=False) if made]
    middle = applied(some, live)
    assert replanned(saved, middle, begun=True) == saved
    assert applied(remaining(saved.changes, middle), middle) == desired


def test_concurrent_changes_are_detected_in_a_resumed_plan() -> None:
    saved = planned({ip("192.0.2.1"): US_EAST}, {})
    meanwhile = {ip("192.0.2.1"): US_EAST, ip("192.0.2.2"): US_EAST}
    again = replanned(saved, meanwhile, begun=True)
    assert plan_of([again]).digest != plan_of([saved]).digest


@pytest.mark.parametrize(
    ("desired", "live", "writes"),
    [
        (3500, 0, 35),
        (3500, 3500, 0),
        (1, 0, 1),
        (101, 0, 2),
        (0, 3500, 35),
        (0, 0, 0),
    ],
)
def test_a_zone_takes_as_few_writes_as_there_can_be(desired: int, live: int, writes: int) -> None:
    want = dict.fromkeys(ips(desired), US_EAST)
    there = dict.fromkeys(ips(live), US_EAST)
    assert len(batches(planned(want, there))) == writes


def test_moving_a_full_zone_needs_35_writes() -> None:
    full = ips(MAX_MAPPINGS)
    made = planned(dict.fromkeys(full, US_WEST), dict.fromkeys(full, US_EAST))
    assert len(batches(made)) == 35
    assert max(len(batch.changes) for batch in batches(made)) == 100


def test_an_origin_that_moves_to_another_address_is_never_without_a_mapping() -> None:
    made = planned({ip("192.0.2.2"): US_EAST}, {ip("192.0.2.1"): US_EAST})
    assert [batch.delete for batch in batches(made)] == [False, True]


def test_a_zone_that_would_be_too_full_is_emptied_first() -> None:
    there = dict.fromkeys(ips(MAX_MAPPINGS), US_EAST)
    want = dict.fromkeys(ips(MAX_MAPPINGS, start=200), US_EAST)
    assert [batch.delete for batch in batches(planned(want, there))] == [True] * 2 + [False] * 2


def test_ignored_mappings_are_never_changed() -> None:
    live = {ip("10.0.0.1"): US_EAST, ip("192.0.2.1"): US_EAST}
    made = planned({}, live, ignore=(pattern("10.0.0.0/8"),))
    assert [change.address for change in made.changes] == [ip("192.0.2.1")]
    assert (made.total, made.existing) == (2, 1)
    assert made.live == fingerprint({ip("192.0.2.1"): US_EAST})


def test_an_ignored_mapping_in_the_file_is_a_conflict() -> None:
    live = {ip("192.0.2.1"): CENTRAL}
    made = planned({ip("192.0.2.1"): US_EAST}, live, ignore=(pattern("gcp/*"),))
    assert made.changes == ()
    assert made.conflicts == (ip("192.0.2.1"),)


def test_adopted_mappings_stay_and_are_listed() -> None:
    live = {ip("192.0.2.1"): CENTRAL, ip("192.0.2.2"): US_EAST}
    made = planned({}, live, adopt=(pattern("gcp/*"),))
    assert made.adopted == ((ip("192.0.2.1"), CENTRAL),)
    assert [change.address for change in made.changes] == [ip("192.0.2.2")]


def test_an_adopted_mapping_in_the_file_follows_the_file() -> None:
    live = {ip("192.0.2.1"): CENTRAL}
    made = planned({ip("192.0.2.1"): US_EAST}, live, adopt=(pattern("*"),))
    assert made.changes == (MappingChange(ip("192.0.2.1"), CENTRAL, US_EAST),)


def test_with_no_delete_extra_mappings_stay() -> None:
    live = {ip("192.0.2.1"): US_EAST}
    made = planned({}, live, delete=False)
    assert made.changes == ()
    assert made.withheld == ((ip("192.0.2.1"), US_EAST),)


@pytest.mark.parametrize(
    ("glob", "changed"),
    [
        ("192.0.2.*", ["192.0.2.1", "192.0.2.2"]),
        ("192.0.2.1", ["192.0.2.1"]),
        ("198.51.100.0/24", ["198.51.100.1"]),
        ("gcp/*", ["192.0.2.2", "198.51.100.1"]),
        ("aws/us-west-2", ["192.0.2.1"]),
    ],
)
def test_only_some_mappings_are_planned(glob: str, changed: list[str]) -> None:
    live = {ip("192.0.2.1"): US_EAST, ip("192.0.2.2"): CENTRAL}
    desired = {ip("192.0.2.1"): US_WEST, ip("198.51.100.1"): CENTRAL}
    made = planned(desired, live, only=(pattern(glob),))
    assert [change.address for change in made.changes] == [ip(text) for text in changed]


@given(states, states, st.sampled_from(["192.0.2.*", "aws/*", "2001:db8::/32", "gcp/us-*"]))
def test_a_plan_of_some_mappings_is_empty_after_its_apply(desired, live, glob) -> None:
    only = (pattern(glob),)
    after = applied(planned(desired, live, only=only).changes, live)
    assert planned(desired, after, only=only).changes == ()
