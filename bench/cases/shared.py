"""Files for a network whose colos have many caches: the time to write all files of a format, in
the process, for the packaged colos with 20 caches each and 100,000 mappings.
"""

import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

from bench.harness.figures import Figure, Figures
from bench.harness.rounds import Bench
from originmap import data
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.mapping import Mapping, Place
from originmap.domain.tier.cache import Cache
from originmap.domain.tier.tier import Tiers
from originmap.domain.tier.topology import Colo, Topology
from originmap.domain.zone.zone import Zone
from originmap.export.format import Format, written
from originmap.export.formats import FORMATS
from originmap.export.node import Node, ZonePart

CACHES, MAPPINGS, ZONE_MAPPINGS = 20, 100_000, 3_500
NAME = "files for 75 colos of 20 caches, 100,000 mappings"
SLOWEST = "the slowest format"

_NODE = "SIN"


def measure(bench: Bench) -> Figures:
    """Write every format that has upstream addresses, and print the time of each."""
    figures: Figures = {}
    for known in FORMATS:
        if known.upstreams:
            runs = [_run(known) for _ in range(bench.rounds)]
            seconds = statistics.median(run[0] for run in runs)
            print(f"  {known.name}: {seconds:.1f} s, {runs[0][1] / 1e6:.1f} MB", flush=True)
            figures[NAME, known.name] = Figure(seconds, "s")
    slowest = max(figure.value for figure in figures.values())
    figures[NAME, SLOWEST] = Figure(slowest, "s")
    return figures


def _run(known: Format) -> tuple[float, int]:
    """Seconds and bytes; the ranking of colos counts too, as after a change of the topology."""
    started = time.perf_counter()
    colos = tuple(map(_with_caches, data.hubs(), range(0, CACHES * 75, CACHES)))
    catalogue = data.catalogue()
    places = [Place(region.vendor, region.name) for region in catalogue.regions()]
    tiers = Tiers(catalogue, Topology(colos), {})
    node = Node(_zones(), tiers, places, _NODE)
    size = 0
    for file in known.all(node):
        parts = _parts(node, places) if file.of_mappings else ()
        size += sum(map(len, written(file.writer(node), parts)))
    return time.perf_counter() - started, size


def _with_caches(colo: Colo, first: int) -> Colo:
    caches = (
        Cache(f"{colo.code.lower()}-{n}", f"10.{(first + n) // 250}.{(first + n) % 250}.1")
        for n in range(CACHES)
    )
    return replace(colo, caches=tuple(caches))


def _zones() -> list[Zone]:
    count = -(-MAPPINGS // ZONE_MAPPINGS)
    return [Zone(f"{n:032x}", f"zone-{n}.example", "account", 1, 1) for n in range(count)]


def _parts(node: Node, places: list[Place]) -> Iterator[ZonePart]:
    left = MAPPINGS
    for number, zone in enumerate(node.zones):
        some = range(min(left, ZONE_MAPPINGS))
        left -= len(some)
        yield node.part(
            zone,
            [
                Mapping(
                    addresses.parse(f"198.{number % 200}.{n // 250}.{n % 250}"),
                    places[n % len(places)],
                    1,
                    n + 1,
                )
                for n in some
            ],
        )
