"""When updates are due."""

from originmap.edge.pace import Pace, Situation, pause_after

PACE = Pace(interval=1.0, verify=600.0)


def test_the_first_update_is_due_at_once() -> None:
    assert PACE.due(Situation(changed=False)) == 0


def test_a_change_after_an_idle_time_is_applied_at_once() -> None:
    assert PACE.due(Situation(began=10, changed=True)) <= 30


def test_changes_of_a_burst_wait_for_the_interval() -> None:
    assert PACE.due(Situation(began=10, changed=True)) == 11


def test_updates_take_at_most_half_of_the_time() -> None:
    assert PACE.due(Situation(began=10, took=4, changed=True)) == 18


def test_without_a_change_only_the_comparison_is_due() -> None:
    assert PACE.due(Situation(began=10, compared=5)) == 605


def test_a_failure_is_retried_with_back_off() -> None:
    assert PACE.due(Situation(began=10, failures=1)) == 11
    assert PACE.due(Situation(began=10, failures=4)) == 18
    assert pause_after(1000) == 60


def test_a_change_does_not_wait_for_the_back_off() -> None:
    assert PACE.due(Situation(began=10, failures=9, changed=True)) == 11


def test_an_expired_measurement_causes_an_update() -> None:
    assert PACE.due(Situation(began=10, expires=70)) == 70
    assert PACE.due(Situation(began=10, expires=10.1)) == 11
