"""When caches are brought up to date."""

from originmap.edge.pace import Pace, Situation, pause_after

PACE = Pace(interval=1.0, verify=600.0)


def test_the_first_time_is_at_once() -> None:
    assert PACE.due(Situation(changed=False)) == 0


def test_a_change_after_a_quiet_time_is_applied_at_once() -> None:
    assert PACE.due(Situation(began=10, changed=True)) <= 30


def test_changes_of_a_burst_wait_for_the_interval() -> None:
    assert PACE.due(Situation(began=10, changed=True)) == 11


def test_what_takes_long_is_done_half_of_the_time_at_most() -> None:
    assert PACE.due(Situation(began=10, took=4, changed=True)) == 18


def test_without_a_change_nothing_is_due_until_it_is_compared() -> None:
    assert PACE.due(Situation(began=10, compared=5)) == 605


def test_a_failure_is_tried_again_after_pauses_that_grow() -> None:
    assert PACE.due(Situation(began=10, failures=1)) == 11
    assert PACE.due(Situation(began=10, failures=4)) == 18
    assert pause_after(1000) == 60


def test_a_change_does_not_wait_for_the_pause_after_a_failure() -> None:
    assert PACE.due(Situation(began=10, failures=9, changed=True)) == 11


def test_a_measurement_that_expires_is_a_change() -> None:
    assert PACE.due(Situation(began=10, expires=70)) == 70
    assert PACE.due(Situation(began=10, expires=10.1)) == 11
