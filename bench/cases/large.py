"""The large case: the speed of Originmap with 10 million mappings.

One small and one large database are filled through the project's own store. A server runs on each,
and the servers take turns. Zones and addresses are requested in random order, so that a few cached
pages are not enough for the large one.
"""

import random
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.harness import dataset, fill
from bench.harness.dataset import Request
from bench.harness.figures import Figures, median
from bench.harness.rounds import Bench, Subject
from bench.harness.servers import ORIGINMAP, Server

GET = "GET one, of many zones"
PUT = "PUT one, of many zones, durable"
_MOST_REQUESTS = 50_000


@dataclass(frozen=True)
class Size:
    """The number of zones, each with the same number of mappings."""

    label: str
    zones: int
    mappings: int

    def sample(self, run: int) -> list[tuple[str, str]]:
        """Zone and address of some mappings, each once, in an order that is random but the same for
        a run.
        """
        total = self.zones * self.mappings
        chosen = random.Random(run).sample(range(total), min(total, _MOST_REQUESTS))
        places = (divmod(at, self.mappings) for at in chosen)
        return [(fill.zone_id(zone), fill.address(zone, index)) for zone, index in places]

    def get(self, run: int) -> list[Request]:
        """GET one of each mapping of the sample."""
        return [
            Request("GET", f"{dataset.mappings_path(zone)}/{ip}") for zone, ip in self.sample(run)
        ]

    def put(self, run: int) -> list[Request]:
        """PUT one of each mapping of the sample, to one region and then to another."""
        sample = self.sample(run)
        return [
            dataset.put_request(zone, ip, region)
            for region in dataset.region_pair(run)
            for zone, ip in sample
        ]


SMALL = Size("originmap, 10,000 mappings", 10, 1_000)
LARGE = Size("originmap, 10 M mappings", 10_000, 1_000)
SIZES = (SMALL, LARGE)


def measure(bench: Bench) -> Figures:
    """Fill both databases, start a server on each, and measure them in turns."""
    figures: Figures = {}
    files = {size: _filled(bench.work, size) for size in SIZES}
    with ExitStack() as stack:
        running = {
            size: stack.enter_context(Server(ORIGINMAP, files[size], bench.cores)) for size in SIZES
        }
        for case, requests in ((GET, Size.get), (PUT, Size.put)):
            subjects = [
                Subject(size.label, running[size], partial(requests, size)) for size in SIZES
            ]
            for name, samples in bench.run(case, subjects).items():
                figures[case, name] = median(samples, "requests/s", 1)
    return figures


def _filled(work: Path, size: Size) -> Path:
    file = work / f"{size.zones}-zones.db"
    started = time.monotonic()
    fill.fill(file, size.zones, size.mappings, size.mappings)
    seconds, mib = time.monotonic() - started, file.stat().st_size / 2**20
    print(f"  filled {size.label}: {seconds:,.0f} s, {mib:,.0f} MiB", flush=True)
    return file
