"""What was answered: how many requests, by route, method and status, and how long they took.

Counted for every request, so counting is a few additions to plain numbers; what a monitoring
system wants to see is made of them when it asks (`api.native.exposition`).
"""

from collections.abc import Mapping
from typing import NamedTuple

DOUBLINGS = 25
"""Durations are counted by their doublings: number N is of those below 2**N microseconds and not
below half of that, and the last is of all others. 2**24 microseconds are 17 seconds."""


class Answered(NamedTuple):
    """What is counted together. `route` is a path template, "" where there is none."""

    route: str
    method: str
    status: int


class RequestTally:
    """How many there were, by duration, and how many microseconds they took together."""

    __slots__ = ("by_doubling", "microseconds")

    def __init__(self) -> None:
        self.by_doubling = [0] * (DOUBLINGS + 1)
        self.microseconds = 0


class Traffic:
    """Counts since the start."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str, int], RequestTally] = {}

    def count(self, route: str, method: str, status: int, microseconds: int) -> None:
        """Count a request that was answered."""
        key = (route, method, status)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = RequestTally()
        doublings = microseconds.bit_length()
        tally.by_doubling[doublings if doublings < DOUBLINGS else DOUBLINGS] += 1
        tally.microseconds += microseconds

    @property
    def tallies(self) -> Mapping[Answered, RequestTally]:
        """All of them, as they are now."""
        return {Answered(*key): tally for key, tally in self._tallies.items()}
