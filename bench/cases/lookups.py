"""The cases inside one process: published ranges and the resolver, without HTTP.

The ranges are the complete lists of all vendors, from the package that the tests use.
"""

import random
import statistics
import time
from collections.abc import Callable, Sequence

from bench.harness.figures import Figure, Figures
from bench.harness.rounds import Bench
from originmap import Resolver, data
from originmap.detect.installed import publications
from originmap.domain.detection.ranges import Publication, RangeTable
from originmap.domain.mapping import address
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.tier import Tiers
from originmap.domain.zone.zone import Zone

LOOKUP = "range lookup"
LOOKUP_TEXT = "range lookup, address as text"
BUILD = "range table built"
RESOLVE = "resolve, address as text"
PROCESS = "in the process"

_LOOKUPS = 200_000
_MAPPINGS = 3500
_SEED = 6


def measure(bench: Bench) -> Figures:
    """The medians of the rounds, on the servers' core."""
    with bench.cores.server_core():
        return _measure(bench.rounds)


def _measure(rounds: int) -> Figures:
    published = publications()
    table = RangeTable(published)
    addresses = _addresses(published)
    texts = [address.text(each) for each in addresses]
    resolver, known = _resolver()
    find, parse, resolve = table.find, address.parse, resolver.resolve

    def per_second(run: Callable[[], object]) -> float:
        return _LOOKUPS / _median_seconds(run, rounds)

    return {
        (BUILD, PROCESS): Figure(
            _median_seconds(lambda: RangeTable(published), rounds) * 1000, "ms"
        ),
        (LOOKUP, PROCESS): Figure(
            per_second(lambda: [find(each) for each in addresses]), "lookups/s"
        ),
        (LOOKUP_TEXT, PROCESS): Figure(
            per_second(lambda: [find(parse(text)) for text in texts]), "lookups/s"
        ),
        (RESOLVE, PROCESS): Figure(
            per_second(lambda: [resolve("example.com", text) for text in known]), "resolves/s"
        ),
    }


def _median_seconds(run: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _addresses(published: Sequence[Publication]) -> list[Address]:
    """Half are the first of a published range, IPv4 or IPv6; half are random IPv4 addresses."""
    made = random.Random(_SEED)
    starts = [each.prefix.start for one in published for each in one.ranges]
    found = made.choices(starts, k=_LOOKUPS // 2)
    while len(found) < _LOOKUPS:
        packed = made.randrange(1 << 24, 224 << 24).to_bytes(4, "big")
        found.append(Address(b"\x04" + packed))
    made.shuffle(found)
    return found


def _resolver() -> tuple[Resolver, list[str]]:
    """A full zone, and the addresses to resolve in it."""
    made = random.Random(_SEED)
    catalogue = data.catalogue()
    places = [Place(region.vendor, region.name) for region in catalogue.regions()]
    texts = [f"198.18.{n // 250}.{n % 250}" for n in range(_MAPPINGS)]
    mappings = {address.parse(text): made.choice(places) for text in texts}
    zone = Zone("0" * 32, "example.com", "1" * 32, 1, 1)
    tiers = Tiers(catalogue, data.topology(), {})
    asked = [made.choice(texts) for _ in range(_LOOKUPS)]
    return Resolver(1, {"example.com": (zone, mappings)}, tiers), asked
