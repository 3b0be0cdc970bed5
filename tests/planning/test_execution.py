"""Applying a plan again after any interruption creates the desired state."""

import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from originmap.client.errors import Unreachable
from originmap.client.mappings import Unapplied
from originmap.domain.plan.plan import Plan, plan_of, plan_zone
from originmap.planning.errors import Outdated, UnusablePlan
from originmap.planning.execution import Apply
from originmap.planning.journal import Journal
from originmap.planning.plan_json import Planned, encode, is_saved, load
from originmap.planning.planner import renew
from tests.builders import US_EAST, US_WEST, ip, ips
from tests.planning.states import MemoryAPI, states

A, B = "a" * 32, "b" * 32


def quiet(_: object) -> None:
    pass


def plan(api: MemoryAPI, desired) -> Plan:
    return plan_of(plan_zone(z, z[0], want, api.mappings(z)) for z, want in desired.items())


def apply(api: MemoryAPI, made: Plan):
    return Apply(api, quiet, quiet, quiet).run(made)


@given(states, states, states, states)
def test_apply_creates_the_desired_state_in_every_zone(a, b, live_a, live_b) -> None:
    api = MemoryAPI({A: live_a, B: live_b})
    assert apply(api, plan(api, {A: a, B: b})) == []
    assert api.live == {A: a, B: b}


@given(states, states, st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=4))
def test_new_plans_after_any_interruption_create_the_desired_state(desired, live, breaks) -> None:
    api = MemoryAPI({A: live})
    for api.writes, api.halves in breaks:
        try:
            apply(api, plan(api, {A: desired}))
        except Unreachable:
            continue
    api.writes = None
    assert apply(api, plan(api, {A: desired})) == []
    assert api.live == {A: desired}


@given(states, states, st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=4))
def test_a_saved_plan_can_be_applied_again_after_any_interruption(desired, live, breaks) -> None:
    api = MemoryAPI({A: live})
    saved = plan(api, {A: desired})
    begun = False
    for api.writes, api.halves in [*breaks, (None, False)]:
        _, left = renew(api, saved, begun, quiet)
        begun = True
        try:
            apply(api, left)
        except Unreachable:
            continue
    assert api.live == {A: desired}


def test_a_saved_plan_is_outdated_if_something_else_changed() -> None:
    api = MemoryAPI({A: {}, B: {}})
    saved = plan(api, {A: dict.fromkeys(ips(3), US_EAST), B: {}})
    api.live[A][ip("192.0.2.1")] = US_WEST
    for begun in (False, True):
        with pytest.raises(Outdated) as caught:
            renew(api, saved, begun, quiet)
        assert caught.value.zones == ["a"]


def test_an_applied_saved_plan_has_no_changes_left() -> None:
    api = MemoryAPI({A: {}})
    saved = plan(api, {A: dict.fromkeys(ips(3), US_EAST)})
    apply(api, saved)
    _, left = renew(api, saved, False, quiet)
    assert left.empty


def test_a_partly_applied_plan_without_a_journal_entry_is_outdated() -> None:
    api = MemoryAPI({A: {}})
    saved = plan(api, {A: dict.fromkeys(ips(3), US_EAST)})
    api.live[A] = dict.fromkeys(ips(2), US_EAST)
    with pytest.raises(Outdated):
        renew(api, saved, False, quiet)


def test_mappings_that_differ_from_the_plan_are_reported_with_their_reasons() -> None:
    class Stubborn(MemoryAPI):
        """Rejects one address, and ignores another."""

        def write(self, batch):
            super().write(batch)
            del self.live[A][ip("10.0.0.1")], self.live[A][ip("10.0.0.2")]
            return [Unapplied("10.0.0.1", "no reason")]

    api = Stubborn({A: {}})
    failures = apply(api, plan(api, {A: dict.fromkeys(ips(3), US_EAST)}))
    assert [tuple(failure) for failure in failures] == [
        ("a", "10.0.0.1", "no reason"),
        ("a", "10.0.0.2", "- is live, not aws/us-east-1"),
    ]


def test_waits_for_changes_that_are_not_listed_yet_are_reported() -> None:
    class Late(MemoryAPI):
        """Writes nothing."""

        def write(self, batch):
            return []

    slept: list[float] = []
    waits: list[tuple[float, str]] = []
    api = Late({A: {}})
    run = Apply(api, quiet, quiet, slept.append, lambda *wait: waits.append(wait))
    assert len(run.run(plan(api, {A: dict.fromkeys(ips(1), US_EAST)}))) == 1
    assert slept == [0.5, 1.0, 2.0]
    assert waits == [(2.0, "a does not list all changes yet")]


@given(states, states)
def test_a_loaded_plan_equals_the_saved_one(desired, live) -> None:
    made = plan_of([plan_zone(A, "a", desired, live)])
    planned = Planned("http://x", made, {"host.example.com": (ip("192.0.2.1"),)}, [])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plan.json"
        file.write_bytes(b"".join(encode(planned)))
        assert is_saved(file)
        assert load(file) == planned


@pytest.mark.parametrize(("old", "new"), [("us-east-1", "us-west-2"), ("10.0.0.1", "10.0.0.9")])
def test_an_edited_plan_is_rejected(tmp_path: Path, old: str, new: str) -> None:
    made = plan_of([plan_zone(A, "a", dict.fromkeys(ips(3), US_EAST), {})])
    file = tmp_path / "plan.json"
    text = b"".join(encode(Planned("http://x", made, {}))).decode()
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(UnusablePlan):
        load(file)


def test_a_plan_of_another_version_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text('{"format": "originmap-plan/2", "steps": []}')
    assert is_saved(file)
    with pytest.raises(UnusablePlan) as caught:
        load(file)
    assert str(caught.value) == (
        f"{file}: a plan of another version of Originmap:"
        " its format is 'originmap-plan/2', not 'originmap-plan/1'"
    )


@pytest.mark.parametrize("text", ["{}", '{"zones": {}}', '{"format": "x"}', '{"format": 1}', "[]"])
def test_other_json_is_not_a_plan(tmp_path: Path, text: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text)
    assert not is_saved(file)
    with pytest.raises(UnusablePlan, match="not a saved plan"):
        load(file)


def test_a_plan_that_cannot_be_read_has_no_hint_to_save_one(tmp_path: Path) -> None:
    with pytest.raises(UnusablePlan, match="No such file or directory") as caught:
        load(tmp_path / "plan.json")
    assert caught.value.hint == ""


def test_a_journal_has_a_plan_until_it_is_finished(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state" / "apply")
    assert not journal.begun("digest")
    journal.begin("digest", [b"the ", b"plan"])
    assert Journal(tmp_path / "state" / "apply").begun("digest")
    assert journal.path("digest").read_bytes() == b"the plan"
    journal.finish("digest")
    journal.finish("digest")
    assert not journal.begun("digest")
