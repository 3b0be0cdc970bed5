"""The age that a replica reports."""

import math

from originmap.service.feed.replication import Replication

SECOND = 1_000_000


class Clock:
    now = 1_000 * SECOND

    def __call__(self) -> int:
        return self.now


def replication() -> tuple[Replication, Clock, Clock]:
    wall, running = Clock(), Clock()
    return Replication("http://primary.example", wall, running), wall, running


def test_a_replica_with_a_clock_that_is_behind_has_unknown_age() -> None:
    copy, wall, running = replication()
    copy.restored(wall.now + 3_600 * SECOND)
    assert (copy.loaded, copy.age) == (True, math.inf)
    running.now += SECOND
    assert copy.age == math.inf
    copy.heard(0.0)
    running.now += 2 * SECOND
    assert copy.age == 2.0


def test_the_age_does_not_depend_on_changes_of_the_clock() -> None:
    copy, wall, running = replication()
    copy.heard(1.5)
    for moved in (-400 * 86_400, 400 * 86_400):
        wall.now += moved * SECOND
        running.now += 5 * SECOND
    assert copy.age == 11.5


def test_a_copy_at_the_start_is_as_old_as_its_last_change() -> None:
    copy, wall, running = replication()
    copy.restored(wall.now - 60 * SECOND)
    running.now += 4 * SECOND
    assert copy.age == 64.0


def test_a_replica_is_connected_after_the_first_answer_and_until_an_error() -> None:
    copy, wall, _ = replication()
    copy.restored(wall.now)
    assert (copy.loaded, copy.connected) == (True, False)
    copy.heard(0.0)
    assert copy.connected
    copy.failed("no route")
    assert not copy.connected
    copy.heard(0.0)
    assert copy.connected


def test_a_full_sync_is_as_old_as_its_request() -> None:
    copy, _, running = replication()
    began = copy.moment()
    running.now += 30 * SECOND
    copy.synced(began, 2.0)
    assert copy.age == 32.0


def test_a_follower_of_a_replica_with_unknown_age_has_unknown_age() -> None:
    copy, _, _ = replication()
    copy.heard(math.inf)
    assert copy.age == math.inf
