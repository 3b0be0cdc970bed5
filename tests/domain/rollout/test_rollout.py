"""Rollouts: the revision of each node, and the order of steps."""

import re
import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.errors import InvalidQuery, RolloutConflict
from originmap.domain.history.record import RecordChange
from originmap.domain.rollout import rollout as rollouts
from originmap.domain.rollout.rollout import (
    Rollout,
    RolloutState,
    Step,
    allowed,
    parse_stages,
    stage_of,
    steps_from,
)
from originmap.domain.rollout.rules import ROLLOUT, take

COLOS = ("SIN", "FRA", "IAD")
STAGES = ("SIN", "1%", "10%", "100%")
NODES = [f"node-{n}" for n in range(2_000)]

EARLY = ["node-14", "node-113", "node-125", "node-179", "node-298", "node-371"]

names = st.text(string.ascii_letters + string.digits + "_.:-", min_size=1, max_size=64)
colos = st.sampled_from(COLOS)
per_cents = st.lists(st.integers(1, 9_999), max_size=6, unique=True).map(sorted)


@st.composite
def stages(draw: st.DrawFn) -> tuple[str, ...]:
    parts = [f"{n // 100}.{n % 100:02}%" for n in draw(per_cents)] + ["100%"]
    for colo in draw(st.lists(colos, unique=True)):
        parts.insert(draw(st.integers(0, len(parts) - 1)), colo)
    return parse_stages(",".join(parts), COLOS)


def running(released: int = 1, stages: tuple[str, ...] = STAGES) -> Rollout:
    return Rollout(1, RolloutState.RUNNING, 10, 20, stages, released)


def steps(*taken: Step) -> Rollout:
    """The rollout after some steps."""
    found: Rollout | None = None
    for step in taken:
        found = step(found)
    assert found is not None
    return found


HELD = rollouts.hold(10, 5)
STARTED = rollouts.start(STAGES, None, 20, 6)


def test_without_a_rollout_every_node_serves_the_newest_revision() -> None:
    assert allowed(None, "node", "SIN") is None


def test_a_held_node_stays_at_the_base() -> None:
    assert allowed(steps(HELD), "node", "SIN") == 10


def test_nodes_of_released_stages_serve_the_target_and_other_nodes_the_base() -> None:
    assert allowed(running(), "node", "SIN") == 20
    assert allowed(running(), "node", "FRA") == 10


@given(stages(), names, colos)
def test_a_node_that_was_released_stays_released(
    stages: tuple[str, ...], node: str, colo: str
) -> None:
    seen = [allowed(running(n, stages), node, colo) for n in range(len(stages) + 1)]
    assert seen == sorted(seen, key=lambda revision: revision or 0)
    assert (seen[0], seen[-1]) == (10, 20)


@given(names, colos)
def test_every_share_includes_the_smaller_shares(node: str, colo: str) -> None:
    alone = [stage_of((f"{n}%", "100%"), node, colo) for n in range(1, 100)]
    assert alone == sorted(alone, reverse=True)


@pytest.mark.parametrize(
    ("per_cent", "least", "most"), [(1, 8, 35), (10, 150, 250), (50, 900, 1100)]
)
def test_a_percentage_selects_about_that_share_of_the_nodes(
    per_cent: int, least: int, most: int
) -> None:
    taken = sum(stage_of((f"{per_cent}%", "100%"), node, "SIN") == 0 for node in NODES)
    assert least <= taken <= most


def test_the_share_of_a_node_never_changes() -> None:
    """Nodes with different versions of the program must compute the same share."""
    early = [node for node in NODES[:400] if stage_of(("1%", "100%"), node, "SIN") == 0]
    assert early == EARLY


def test_a_stage_can_name_several_colos() -> None:
    assert [stage_of(("SIN+FRA", "100%"), "node", colo) for colo in COLOS] == [0, 0, 1]


def test_stages_are_parsed_with_blanks_and_in_lower_case() -> None:
    assert parse_stages(" sin+FRA, 0.5%,100%", COLOS) == ("SIN+FRA", "0.5%", "100%")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "'': no such colo in the topology or on a node"),
        ("SIN", "the last stage must be 100%"),
        ("100%,SIN", "the last stage must be 100%"),
        ("XYZ,100%", "'XYZ': no such colo in the topology or on a node"),
        ("SIN+,100%", "'': no such colo in the topology or on a node"),
        ("SIN,FRA+SIN,100%", "SIN: it is named twice"),
        (",,100%", "'': it is named twice"),
        ("10%,1%,100%", "1%: percentages must rise"),
        ("10%,10%,100%", "10%: percentages must rise"),
        ("0%,100%", "0%: percentages must rise"),
        ("101%,100%", "101%: percentages must rise"),
        ("1.005%,100%", "1.005%: write a share of the nodes like 10%"),
        ("-1%,100%", "-1%: write a share of the nodes like 10%"),
        (",".join(f"{n}%" for n in range(1, 21)) + ",100%", "21 stages; the limit is 20"),
    ],
)  # fmt: skip
def test_invalid_stages_are_rejected(text: str, problem: str) -> None:
    with pytest.raises(InvalidQuery, match=re.escape(problem)):
        parse_stages(text, COLOS)


def test_all_problems_of_stages_are_reported_together() -> None:
    with pytest.raises(InvalidQuery, match=r"^stages: 5%: .*; 'XYZ': .*; the last stage"):
        parse_stages("XYZ,10%,5%", COLOS)


def test_a_rollout_runs_from_hold_to_finish() -> None:
    whole = steps(HELD, STARTED, rollouts.advance(), rollouts.advance(3), rollouts.advance(4))
    assert whole == Rollout(1, RolloutState.RUNNING, 10, 20, STAGES, 4, started_on=6)
    done = rollouts.finish()(whole)
    assert (done.state, allowed(done, "node", "FRA")) == ("done", None)
    with pytest.raises(RolloutConflict, match="every stage is released"):
        rollouts.advance()(whole)


def test_two_operators_cannot_release_the_same_stage_twice() -> None:
    with pytest.raises(RolloutConflict, match="the next stage is 3, not 2"):
        rollouts.advance(2)(running(2))


def test_a_paused_rollout_does_not_move_its_nodes() -> None:
    paused = steps(HELD, STARTED, rollouts.pause("lunch"))
    assert (allowed(paused, "n", "SIN"), allowed(paused, "n", "FRA")) == (20, 10)
    assert rollouts.resume()(paused) == steps(HELD, STARTED)


@pytest.mark.parametrize(
    "step", [rollouts.halt("why"), rollouts.abort("why"), rollouts.kill(None, 7, "why")]
)
def test_a_stopped_rollout_takes_every_node_back_to_the_base(step: Step) -> None:
    stopped = steps(HELD, STARTED, rollouts.advance(), step)
    assert {allowed(stopped, node, colo) for node in NODES[:50] for colo in COLOS} == {10}
    assert stopped.why == "why"


def test_a_halted_rollout_can_resume_and_an_aborted_one_cannot() -> None:
    halted = steps(HELD, STARTED, rollouts.halt("unwell"))
    assert rollouts.resume()(halted) == steps(HELD, STARTED)
    with pytest.raises(RolloutConflict, match="the rollout is aborted"):
        steps(HELD, STARTED, rollouts.abort(), rollouts.resume())


def test_after_an_abort_the_next_rollout_starts_from_the_same_base() -> None:
    """The nodes are at this base: any other one would move all of them at once."""
    again = steps(HELD, STARTED, rollouts.abort(), rollouts.start(STAGES, None, 30, 9))
    assert (again.number, again.base, again.target, again.started_on) == (2, 10, 30, 9)


def test_the_kill_switch_works_from_every_state() -> None:
    done = steps(HELD, STARTED, rollouts.finish())
    assert allowed(rollouts.kill(None, 7)(done), "node", "SIN") == 10
    assert allowed(rollouts.kill(3, 7)(done), "node", "SIN") == 3
    assert allowed(rollouts.kill(3, 7)(None), "node", "SIN") == 3
    for state in RolloutState:
        killed = rollouts.kill(None, 7)(replace(running(), state=state))
        assert allowed(killed, "node", "SIN") == 10
    with pytest.raises(RolloutConflict, match="name the revision"):
        rollouts.kill(None, 7)(None)


@pytest.mark.parametrize(
    ("rollout", "step"),
    [
        (None, rollouts.start(STAGES, None, 20, 6)),
        (None, rollouts.advance()),
        (None, rollouts.pause()),
        (None, rollouts.finish()),
        (steps(HELD), rollouts.advance()),
        (steps(HELD), rollouts.hold(11, 7)),
        (running(), rollouts.start(STAGES, 5, 20, 6)),
        (running(), rollouts.resume()),
        (steps(HELD, rollouts.finish()), rollouts.finish()),
        (steps(HELD), rollouts.start(STAGES, None, 10, 6)),
    ],
)  # fmt: skip
def test_a_step_that_the_state_does_not_allow_is_rejected(
    rollout: Rollout | None, step: Step
) -> None:
    with pytest.raises(RolloutConflict):
        step(rollout)


def test_a_step_changes_the_record_and_stores_the_credential() -> None:
    decision = take(HELD, "credential", 7)({})
    held = Rollout(1, RolloutState.HELD, 10, by="credential", started_on=5, changed_on=7)
    assert decision.changes == (RecordChange(ROLLOUT, None, held),)
    assert decision.outcome == held
    again = take(STARTED, "other", 8)({ROLLOUT: held})
    assert (again.changes[0].before, again.outcome.by) == (held, "other")


@pytest.mark.parametrize("state", [None, *RolloutState])
def test_the_steps_from_a_state_are_those_that_it_allows(state: RolloutState | None) -> None:
    taken = {
        "hold": HELD, "start": rollouts.start(STAGES, 10, 20, 6), "advance": rollouts.advance(),
        "pause": rollouts.pause(), "resume": rollouts.resume(), "halt": rollouts.halt("why"),
        "abort": rollouts.abort(), "kill": rollouts.kill(10, 6), "finish": rollouts.finish(),
    }  # fmt: skip
    rollout = None if state is None else replace(running(), state=state)
    possible = steps_from(state)
    for name, step in taken.items():
        if name in possible:
            step(rollout)
        else:
            with pytest.raises(RolloutConflict):
                step(rollout)
