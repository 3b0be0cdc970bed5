"""Latencies between colos and regions, measured and reported by the operator."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from originmap.domain.errors import InvalidLatencies
from originmap.domain.problems import first_problems

MAX_MEASUREMENTS = 40_000
_LONGEST_MS = 60_000.0


@dataclass(frozen=True, slots=True)
class Measurement:
    """The round-trip time from a colo to a region."""

    colo: str
    vendor: str
    region: str
    milliseconds: float
    measured_on: int  # microseconds since 1970-01-01 UTC


@dataclass(frozen=True, slots=True)
class Latencies:
    """All measurements, expired ones included. There is one for each pair of colo and region."""

    measurements: tuple[Measurement, ...] = ()

    @property
    def id(self) -> str:
        """Constant: a database has one set of measurements."""
        return "latencies"


Fresh = Mapping[tuple[str, tuple[str, str]], float]
"""Milliseconds by colo and place, of measurements that have not expired."""


def check(measurements: Iterable[Measurement], now: int) -> Latencies:
    """Validate measurements, and keep the newest of each pair. Raises InvalidLatencies with all
    problems; a measurement in the future is invalid."""
    newest: dict[str, dict[tuple[str, str], Measurement]] = {}
    problems = []
    for index, each in enumerate(measurements):
        if not (math.isfinite(each.milliseconds) and 0 <= each.milliseconds <= _LONGEST_MS):
            problems.append(f"measurement {index}: milliseconds must be between 0 and 60000")
        if each.measured_on > now + 60_000_000:  # clocks differ a little
            problems.append(f"measurement {index}: measured_on is in the future")
        of_colo, place = newest.setdefault(each.colo, {}), (each.vendor, each.region)
        if place not in of_colo or of_colo[place].measured_on <= each.measured_on:
            of_colo[place] = each
        if index >= MAX_MEASUREMENTS:
            problems.append(f"more than {MAX_MEASUREMENTS} measurements")
            break
    if problems:
        raise InvalidLatencies(first_problems(problems))
    # Sorted colo by colo: no other thread runs while one list is sorted.
    return Latencies(
        tuple(newest[colo][place] for colo in sorted(newest) for place in sorted(newest[colo]))
    )


def fresh(latencies: Latencies, latency_seconds: int, now: int) -> tuple[Fresh, int | None]:
    """The measurements that have not expired, and the time when the next one expires (None:
    never)."""
    age = latency_seconds * 1_000_000
    current = [m for m in latencies.measurements if m.measured_on + age > now]
    # Plain pairs, because creating a Place for each takes longer than everything else here.
    milliseconds = {(m.colo, (m.vendor, m.region)): m.milliseconds for m in current}
    oldest = min((m.measured_on for m in current), default=None)
    return milliseconds, None if oldest is None else oldest + age
