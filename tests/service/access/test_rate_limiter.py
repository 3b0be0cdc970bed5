"""The rate limiter counts each caller separately, within limited memory."""

import pytest

from originmap.domain.access.rate_limit import MICROSECONDS, Quota
from originmap.service.access.rate_limiter import RateLimiter

ONE = Quota(1, 10)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> int:
        return int(self.seconds * MICROSECONDS)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_callers_are_counted_separately(clock: Clock) -> None:
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


def test_usage_is_reported_until_the_window_ends(clock: Clock) -> None:
    limiter = RateLimiter(Quota(2, 10), clock)
    assert limiter.used("a") == 0
    for expected in (1, 2, 2):
        limiter.take("a")
        assert limiter.used("a") == expected
    clock.seconds = 10
    assert limiter.used("a") == 0


def test_ended_windows_are_dropped_first(clock: Clock) -> None:
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


def test_the_oldest_window_is_dropped_next(clock: Clock) -> None:
    limiter = RateLimiter(ONE, clock, at_most=10)
    for n in range(11):
        limiter.take(str(n))
    assert limiter.used("0") == 0
    assert all(limiter.used(str(n)) == 1 for n in range(2, 11))


def test_memory_is_limited_under_a_flood_of_callers(clock: Clock) -> None:
    limiter = RateLimiter(ONE, clock, at_most=100)
    for n in range(10_000):
        limiter.take(str(n))
        clock.seconds += 0.0001
    assert 90 <= sum(limiter.used(str(n)) for n in range(10_000)) <= 100


def test_a_request_of_a_known_caller_drops_no_window(clock: Clock) -> None:
    limiter = RateLimiter(ONE, clock, at_most=10)
    for _ in range(20):
        for n in range(10):
            limiter.take(str(n))
    assert all(limiter.used(str(n)) == 1 for n in range(10))
