"""Rounds: the servers of a case take turns, so that all of them run under the same conditions.

If the machine slows down for a minute, it slows down for all servers. Valid runs are used; void
ones are printed and counted.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.harness import dataset, load
from bench.harness.dataset import Request
from bench.harness.figures import Sample
from bench.harness.servers import Cores, Fleet, Program, Server

_CONNECTIONS = 32
_WARM_UP_SECONDS = 1
# wrk runs the script once and discards that request, so the second one is sent first.
_FIRST_SENT = 1


class Subject(NamedTuple):
    """A running server, or several, with its requests, by the number of the run."""

    name: str
    server: Server | Fleet
    requests: Callable[[int], list[Request]]


NODES = (1_000, 5_000)
"""The numbers of nodes of the case *scale*, beside a few."""


@dataclass
class Bench:
    """The parameters of the measurement, and its void runs."""

    cores: Cores
    work: Path
    rounds: int
    seconds: int
    nodes: tuple[int, ...] = NODES
    void: list[str] = field(default_factory=list)
    _runs: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def database(self, program: Program) -> Path:
        """A folder for the data of a program."""
        return self.work / f"{program.name.replace(' ', '-')}.db"

    def run(self, case: str, subjects: Sequence[Subject]) -> dict[str, list[Sample]]:
        """Warm up all subjects, then measure them in turns; return the valid samples by subject."""
        samples: dict[str, list[Sample]] = {}
        for at in range(self.rounds + 1):
            run = next(self._runs)
            for subject in subjects:
                try:
                    sample = self._sample(subject, run, self.seconds if at else _WARM_UP_SECONDS)
                except load.VoidRun as reason:
                    self.void.append(f"{case}, {subject.name}: {reason}")
                    print(f"  {case}: {subject.name}: VOID: {reason}", flush=True)
                    continue
                if at:
                    samples.setdefault(subject.name, []).append(sample)
                    _progress(f"{case}: round {at} of {self.rounds}: {subject.name}", sample)
        return samples

    def _sample(self, subject: Subject, run: int, seconds: int) -> Sample:
        server, requests = subject.server, subject.requests(run)
        urls = server.urls
        # Each server gets other mappings: the second write of a region would change nothing.
        files = [
            load.write_requests(requests[n :: len(urls)], self.work / f"requests-{n}.tsv")
            for n in range(len(urls))
        ]
        used, started = server.cpu_seconds(), time.perf_counter()
        measured = load.run_all(urls, files, _CONNECTIONS, seconds)
        busy = (server.cpu_seconds() - used) / (time.perf_counter() - started)
        if requests[0].method == "PUT":
            _check_written(server, requests[_FIRST_SENT * len(urls)], run)
        return Sample(measured, busy)


def _check_written(server: Server | Fleet, first: Request, run: int) -> None:
    """Raise VoidRun unless the run's first write can be read."""
    body = json.loads(server.answer(dataset.read_back(first)))
    region = body["result"]["region"]
    if region not in dataset.region_pair(run):
        raise load.VoidRun(f"a PUT had no effect: the mapping is still in {region}")


def _progress(what: str, sample: Sample) -> None:
    rate = f"{sample.run.per_second:,.0f} requests/s"
    print(f"  {what}: {rate}, server busy {sample.busy:.0%}", flush=True)
