"""When the agent brings its caches up to date: pure decisions, in seconds of a clock that only
goes forward.

    nothing was done yet             now
    something changed                now, but not within `interval` of the last time, and not
                                     more than half of the time
    the last time failed             after a pause that doubles, or with the next change
    a measurement stops to count     then
    nothing of all that              every `verify` seconds, to compare what is there

So the first change of a burst is applied at once, and its end always.
"""

from dataclasses import dataclass
from typing import NamedTuple

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class Situation(NamedTuple):
    """`began`: when it was done last; `took`: how long that was; `compared`: when what is there
    was compared last; `failures`: how many times in a row it failed."""

    began: float | None = None
    took: float = 0.0
    compared: float = 0.0
    changed: bool = False
    failures: int = 0
    expires: float | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How often at most, and how often at least."""

    interval: float
    verify: float

    def due(self, situation: Situation) -> float:
        """When to do it next."""
        if situation.began is None:
            return 0.0
        earliest = situation.began + max(self.interval, 2 * situation.took)
        moments = [self.compare_at(situation)]
        if situation.changed:
            moments.append(earliest)
        if situation.failures:
            moments.append(situation.began + pause_after(situation.failures))
        if situation.expires is not None:
            moments.append(situation.expires)
        return max(earliest, min(moments))

    def compare_at(self, situation: Situation) -> float:
        """When to compare what is there."""
        return situation.compared + self.verify


def pause_after(failures: int) -> float:
    """How long to wait after so many failures in a row."""
    return min(_FIRST_PAUSE * 2.0 ** min(failures - 1, 10), _LONGEST_PAUSE)
