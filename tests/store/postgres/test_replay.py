"""What a standby has replayed, and what reads of a zone need."""

import math

from originmap.store.postgres.replay import Replay

SECOND = 1_000_000


class _Elapsed:
    now = 0

    def __call__(self) -> int:
        return self.now


def test_the_lag_counts_from_the_last_moment_at_which_the_standby_had_everything() -> None:
    elapsed = _Elapsed()
    replay = Replay(elapsed)
    assert (replay.lag, replay.known) == (math.inf, False)
    replay.primary_had(0, "e", 5)
    replay.reached("e", 5)
    assert (replay.lag, replay.known) == (0, True)
    for second in range(1, 6):
        replay.primary_had(second * SECOND, "e", 5 + second)
    elapsed.now = 6 * SECOND
    assert replay.lag == 6
    replay.reached("e", 8)
    assert replay.lag == 3
    replay.reached("e", 10)
    assert replay.lag == 1
    replay.primary_had(6 * SECOND, "e", 10)
    assert replay.lag == 0


def test_an_idle_primary_causes_no_lag() -> None:
    elapsed = _Elapsed()
    replay = Replay(elapsed)
    replay.primary_had(0, "e", 5)
    replay.reached("e", 5)
    elapsed.now = 3600 * SECOND
    replay.primary_had(elapsed.now, "e", 5)
    assert replay.lag == 0


def test_a_primary_that_has_lost_commits_makes_the_lag_grow() -> None:
    elapsed = _Elapsed()
    replay = Replay(elapsed)
    replay.primary_had(0, "e", 5)
    replay.reached("e", 5)
    elapsed.now = 20 * SECOND
    replay.primary_had(elapsed.now, "e", 4)
    assert replay.lag == 20


def test_another_database_is_unknown_until_it_is_replayed() -> None:
    replay = Replay(_Elapsed())
    replay.primary_had(0, "e", 5)
    replay.reached("e", 5)
    replay.require("e", "zone", 9)
    replay.primary_had(0, "f", 7)
    assert (replay.lag, replay.known, replay.needed("zone")) == (math.inf, False, 0)
    replay.reached("e", 100)
    assert not replay.known
    replay.require("f", "zone", 8)
    assert replay.needed("zone") == 8
    replay.reached("f", 7)
    assert (replay.lag, replay.revision) == (0, 7)


def test_the_replayed_revision_never_goes_back() -> None:
    replay = Replay(_Elapsed())
    replay.primary_had(0, "e", 5)
    replay.reached("e", 5)
    replay.reached("e", 4)
    assert replay.revision == 5


def test_reads_of_a_zone_need_its_last_write_until_that_is_replayed() -> None:
    replay = Replay(_Elapsed())
    replay.primary_had(0, "e", 5)
    replay.reached("e", 5)
    replay.require("e", "old", 5)
    replay.require("e", "a", 6)
    replay.require("e", "a", 8)
    replay.require("e", "a", 7)
    replay.require("e", "b", 7)
    assert (replay.needed("a"), replay.needed("b"), replay.needed("a", "b")) == (8, 7, 8)
    assert (replay.needed("old"), replay.needed()) == (0, 0)
    replay.reached("e", 7)
    assert (replay.needed("a"), replay.needed("b")) == (8, 0)


def test_too_many_written_zones_are_remembered_as_one() -> None:
    replay = Replay(_Elapsed())
    replay.primary_had(0, "e", 0)
    replay.reached("e", 0)
    for n in range(1, 10_002):
        replay.require("e", f"zone-{n}", n)
    assert replay.needed("never-written") == 10_000
    assert replay.needed("zone-10001") == 10_001
