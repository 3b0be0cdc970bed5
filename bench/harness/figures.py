"""Results: one figure per case and server, and its calculation as a median of runs."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.harness.load import Run


@dataclass(frozen=True)
class Figure:
    """A median with the latency and the load of the server's core, which help to judge it."""

    value: float
    unit: str
    p99_ms: float | None = None
    busy: float | None = None


# By case name and server name.
Figures = dict[tuple[str, str], Figure]


@dataclass(frozen=True)
class Sample:
    """A run with the share of its time in which the server used a processor."""

    run: Run
    busy: float


def median(samples: Sequence[Sample], unit: str, per_request: int) -> Figure:
    """The medians of a case's runs; one request stands for `per_request` of `unit`."""
    return Figure(
        statistics.median(sample.run.per_second for sample in samples) * per_request,
        unit,
        statistics.median(sample.run.p99_ms for sample in samples),
        statistics.median(sample.busy for sample in samples),
    )
