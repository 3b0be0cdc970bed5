"""Clocks, among them one for `modified_on` and the history that never goes back."""

import time
from collections.abc import Callable
from typing import NamedTuple

Now = Callable[[], int]
"""Microseconds since 1970-01-01 UTC."""


def wall_clock() -> int:
    """Return the machine's clock, which may be set back."""
    return time.time_ns() // 1000


def monotonic_clock() -> int:
    """Return microseconds of a monotonic clock, for windows and timeouts."""
    return time.monotonic_ns() // 1000


def running_clock() -> int:
    """Return microseconds of a monotonic clock that also counts the time that the machine was
    suspended, if the system supports that."""
    if not hasattr(time, "clock_gettime_ns"):  # Windows
        return monotonic_clock()
    # That of macOS counts it by the other name.
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(clock) // 1000


class Clocks(NamedTuple):
    """The clocks of a server: the time of day, and one for windows."""

    wall: Now = wall_clock
    elapsed: Now = monotonic_clock


SYSTEM = Clocks()
"""The machine's clocks."""


class ForwardClock:
    """Timestamps that grow with every call, even if the machine's clock is set back."""

    def __init__(self, now: Now, last: int) -> None:
        self._now = now
        self._last = last

    def stamp(self) -> int:
        """Return the current time, or one microsecond after the last timestamp if that is later."""
        self._last = max(self._now(), self._last + 1)
        return self._last

    def after(self, last: int) -> "ForwardClock":
        """Return a clock with the same time source and another last timestamp."""
        return ForwardClock(self._now, last)

    def pass_by(self, moment: int) -> None:
        """Make all later timestamps later than `moment`."""
        self._last = max(self._last, moment)
