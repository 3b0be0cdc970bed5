"""The rate limiter: each caller for itself, and not more of them than there is room for."""

import pytest

from originmap.domain.access.rate_limit import MICROSECONDS, Quota
from originmap.service.access.rate_limiter import RateLimiter

ONE = Quota(1, 10)


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> int:
        return int(self.seconds * MICROSECONDS)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_callers_do_not_count_for_each_other(clock: Clock) -> None:
    limiter = RateLimiter(Quota(2, 10), clock)
    taken = [limiter.take(caller).taken for caller in ("a", "b", "a", "b", "a", "c")]
    assert taken == [True, True, True, True, False, True]


def test_a_window_ends_and_a_block_ends(clock: Clock) -> None:
    limiter = RateLimiter(ONE, clock)
    assert limiter.take("a").taken
    clock.seconds = 10
    assert limiter.take("a").taken
    assert not limiter.take("a").taken
    clock.seconds = 19.9
    assert not limiter.take("a").taken
    clock.seconds = 20
    assert limiter.take("a").taken


def test_usage_is_kept_until_the_window_ends(clock: Clock) -> None:
    limiter = RateLimiter(Quota(2, 10), clock)
    assert limiter.used("a") == 0
    for expected in (1, 2, 2):
        limiter.take("a")
        assert limiter.used("a") == expected
    clock.seconds = 10
    assert limiter.used("a") == 0


def test_when_there_is_no_room_ended_windows_go_first(clock: Clock) -> None:
    limiter = RateLimiter(ONE, clock, at_most=10)
    for n in range(9):
        limiter.take(f"ended {n}")
    clock.seconds = 9
    limiter.take("live")
    clock.seconds = 10
    for n in range(8):
        limiter.take(f"new {n}")
    assert not limiter.take("live").taken
    assert all(not limiter.take(f"new {n}").taken for n in range(8))


def test_when_there_is_no_room_the_oldest_is_forgotten(clock: Clock) -> None:
    limiter = RateLimiter(ONE, clock, at_most=10)
    for n in range(11):
        limiter.take(str(n))
    assert limiter.used("0") == 0
    assert all(limiter.used(str(n)) == 1 for n in range(2, 11))


def test_a_flood_of_clients_uses_bounded_memory(clock: Clock) -> None:
    limiter = RateLimiter(ONE, clock, at_most=100)
    for n in range(10_000):
        limiter.take(str(n))
        clock.seconds += 0.0001
    assert 90 <= sum(limiter.used(str(n)) for n in range(10_000)) <= 100


def test_a_known_key_evicts_nothing(clock: Clock) -> None:
    limiter = RateLimiter(ONE, clock, at_most=10)
    for _ in range(20):
        for n in range(10):
            limiter.take(str(n))
    assert all(limiter.used(str(n)) == 1 for n in range(10))
