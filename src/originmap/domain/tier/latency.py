"""Measured latencies between colos and regions, as the operator reports them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from originmap.domain.errors import InvalidLatencies

MAX_MEASUREMENTS = 40_000
_LONGEST_MS = 60_000.0


@dataclass(frozen=True, slots=True)
class Measurement:
    """How long a round trip from a colo to a region takes."""

    colo: str
    vendor: str
    region: str
    milliseconds: float
    measured_on: int  # microseconds since 1970-01-01 UTC


@dataclass(frozen=True, slots=True)
class Latencies:
    """All measurements that count or counted; each newer one of a pair replaces the older."""

    measurements: tuple[Measurement, ...] = ()

    @property
    def id(self) -> str:
        """There is one set in a database."""
        return "latencies"


Fresh = Mapping[tuple[str, tuple[str, str]], float]
"""Milliseconds by colo and place, of measurements that still count."""


def check(measurements: Iterable[Measurement], now: int) -> Latencies:
    """A set of measurements, the newest of each pair. Raises InvalidLatencies with everything
    wrong; a measurement from the future is wrong."""
    newest: dict[tuple[str, str, str], Measurement] = {}
    problems = []
    for index, found in enumerate(measurements):
        if not (math.isfinite(found.milliseconds) and 0 <= found.milliseconds <= _LONGEST_MS):
            problems.append(f"measurement {index}: milliseconds must be between 0 and 60000")
        if found.measured_on > now + 60_000_000:  # clocks differ a little
            problems.append(f"measurement {index}: it is from the future")
        key = (found.colo, found.vendor, found.region)
        if key not in newest or newest[key].measured_on <= found.measured_on:
            newest[key] = found
        if index >= MAX_MEASUREMENTS:
            problems.append(f"more than {MAX_MEASUREMENTS} measurements")
            break
    if problems:
        raise InvalidLatencies(problems[:100])
    return Latencies(tuple(newest[key] for key in sorted(newest)))


def fresh(latencies: Latencies, latency_seconds: int, now: int) -> tuple[Fresh, int | None]:
    """The measurements that still count, and when the next of them stops to (None: never)."""
    age = latency_seconds * 1_000_000
    counting = [m for m in latencies.measurements if m.measured_on + age > now]
    # Plain pairs: to make a Place of each takes longer than everything else here.
    found = {(m.colo, (m.vendor, m.region)): m.milliseconds for m in counting}
    oldest = min((m.measured_on for m in counting), default=None)
    return found, None if oldest is None else oldest + age
