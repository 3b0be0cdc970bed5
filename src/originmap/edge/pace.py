"""Decides when the agent updates its caches. Pure functions, in seconds of a monotonic clock.

    no update yet                    now
    something changed                now, but at least `interval` after the last update started,
                                     and updates take at most half of the time
    the last update failed           after a back-off that doubles, or with the next change
    a latency measurement expires    then
    otherwise                        every `verify` seconds, to compare

So the first change of a burst is applied at once, and its last change always.
"""

from dataclasses import dataclass
from typing import NamedTuple

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class Situation(NamedTuple):
    """`began`: start of the last update; `took`: its duration; `compared`: time of the last
    comparison; `failures`: the number of failures in a row."""

    began: float | None = None
    took: float = 0.0
    compared: float = 0.0
    changed: bool = False
    failures: int = 0
    expires: float | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """The minimum seconds between updates, and the maximum seconds between comparisons."""

    interval: float
    verify: float

    def due(self, situation: Situation) -> float:
        """The time of the next update."""
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
        """The time of the next comparison."""
        return situation.compared + self.verify


def pause_after(failures: int) -> float:
    """The back-off after this number of failures in a row, in seconds."""
    return min(_FIRST_PAUSE * 2.0 ** min(failures - 1, 10), _LONGEST_PAUSE)
