"""Time that only goes forward, for `modified_on` and the history."""

import time
from collections.abc import Callable

Now = Callable[[], int]
"""Microseconds since 1970-01-01 UTC."""


def wall_clock() -> int:
    """The machine's own time, which may be set back."""
    return time.time_ns() // 1000


def monotonic_clock() -> int:
    """Microseconds since some moment, which nobody sets back: for windows and waits."""
    return time.monotonic_ns() // 1000


def running_clock() -> int:
    """Microseconds since some moment, which nobody sets back or forward; the time that the machine
    was suspended counts too, where the system can tell."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(clock) // 1000


class ForwardClock:
    """Stamps that grow with every call, also when the machine's clock steps back."""

    def __init__(self, now: Now, last: int) -> None:
        self._now = now
        self._last = last

    def stamp(self) -> int:
        """Now, or one microsecond after the last stamp when that is later."""
        self._last = max(self._now(), self._last + 1)
        return self._last

    def after(self, last: int) -> "ForwardClock":
        """This clock, going on from another last stamp."""
        return ForwardClock(self._now, last)

    def pass_by(self, moment: int) -> None:
        """Stamp later than `moment` from now on."""
        self._last = max(self._last, moment)
