"""Counts completed requests and their durations, by route, method and status.

Counting happens for every request, so it is a few additions to plain numbers; the metrics are
computed from them on request (`api.native.exposition`).
"""

from collections.abc import Mapping
from typing import NamedTuple

DOUBLINGS = 25
"""Number of duration buckets: bucket N counts durations below 2**N microseconds and at least half
of that; the last bucket counts all longer ones. 2**24 microseconds are 17 seconds."""


class Answered(NamedTuple):
    """The key of a count. `route` is a path template, "" if no route matched."""

    route: str
    method: str
    status: int


class RequestTally:
    """The number of requests by duration, and the total microseconds."""

    __slots__ = ("by_doubling", "microseconds")

    def __init__(self) -> None:
        self.by_doubling = [0] * (DOUBLINGS + 1)
        self.microseconds = 0


class Traffic:
    """The counts since the start of the server."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str, int], RequestTally] = {}

    def count(self, route: str, method: str, status: int, microseconds: int) -> None:
        """Count a completed request."""
        key = (route, method, status)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = RequestTally()
        doublings = microseconds.bit_length()
        tally.by_doubling[doublings if doublings < DOUBLINGS else DOUBLINGS] += 1
        tally.microseconds += microseconds

    @property
    def tallies(self) -> Mapping[Answered, RequestTally]:
        """The current counts."""
        return {Answered(*key): tally for key, tally in self._tallies.items()}
