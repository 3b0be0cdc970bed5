"""MMDB after one change: the time to write its next version, and the memory of the process.

A process of its own writes the file of full zones, then changes one mapping after another: it moves
some to other regions, removes some and adds some. After each change it writes the whole next
version to the disk, unsynced. The addresses are scattered over all of IPv4, the worst case for the
size of its tree.
"""

import hashlib
import multiprocessing
import random
import resource
import statistics
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import BinaryIO, NamedTuple

from bench.harness.figures import Figure, Figures
from bench.harness.rounds import Bench
from originmap import data
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import MAX_MAPPINGS, Mapping, Place
from originmap.domain.tier.tier import Tiers
from originmap.domain.zone.zone import Zone
from originmap.export.format import Chunk, Span, written
from originmap.export.mmdb import MMDB
from originmap.export.node import Node

SMALL, MIDDLE, LARGE = 10, 100, 286
"""Full zones: 35,000, 350,000 and a million mappings."""
NAME = "in the process"

_CHANGES = 30
_COPIED = 1 << 20


class _Run(NamedTuple):
    first: float  # seconds
    median: float
    longest: float
    size: int  # bytes
    memory: float  # MiB, the peak of the process

    def __str__(self) -> str:
        return (
            f"{self.median * 1000:.0f} ms, at most {self.longest * 1000:.0f} ms, "
            f"{self.memory:.0f} MiB, {self.size / 1e6:.1f} MB; first version {self.first:.1f} s"
        )


def title(zones: int) -> str:
    """The case with this number of zones."""
    return f"MMDB after one change of {zones * MAX_MAPPINGS:,} mappings"


def memory_title(zones: int) -> str:
    """The memory in that case."""
    return f"memory for it, {zones * MAX_MAPPINGS:,} mappings"


def measure(bench: Bench) -> Figures:
    """The figures with 35,000 and 350,000 mappings."""
    return _measure(bench, (SMALL, MIDDLE))


def measure_large(bench: Bench) -> Figures:
    """The figures with a million mappings."""
    return _measure(bench, (LARGE,))


def _measure(bench: Bench, sizes: Iterable[int]) -> Figures:
    figures: Figures = {}
    with bench.cores.server_core():
        for zones in sizes:
            spawn = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, spawn) as process:
                run = process.submit(_run, zones, bench.work).result()
            print(f"  {title(zones)}: {run}", flush=True)
            figures[title(zones), NAME] = Figure(run.median * 1000, "ms")
            figures[memory_title(zones), NAME] = Figure(run.memory, "MiB")
    return figures


def _run(zones: int, work: Path) -> _Run:
    catalogue = data.catalogue()
    places = catalogue.places()
    node = Node(_zones(zones), Tiers(catalogue, data.topology(), {}), places, "SIN")
    writer = MMDB(node)
    last, following = work / "last.mmdb", work / "next.mmdb"
    started = time.perf_counter()
    parts = (node.part(zone, _mappings(n, places)) for n, zone in enumerate(node.zones))
    with last.open("wb") as file:
        file.writelines(written(writer, parts))
    first = time.perf_counter() - started
    seconds = []
    chance = random.Random(zones)
    for change in range(_CHANGES):
        zone = chance.randrange(zones)
        address = _address(zone, change * 9)
        if change % 3 == 2:
            address = _address(zone, MAX_MAPPINGS + change)
        mapping = Mapping(address, chance.choice(places), 1, 1 << 32)
        row = None if change % 3 == 1 else node.part(node.zones[zone], [mapping]).rows[0]
        started = time.perf_counter()
        with last.open("rb") as old, following.open("wb") as file:
            _write(file, writer.update({address: row}, old), old)
        seconds.append(time.perf_counter() - started)
        last, following = following, last
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return _Run(first, statistics.median(seconds), max(seconds), last.stat().st_size, memory)


def _write(file: BinaryIO, chunks: Iterable[Chunk], last: BinaryIO) -> None:
    for chunk in chunks:
        if isinstance(chunk, Span):
            last.seek(chunk.start)
            left = chunk.end - chunk.start
            while left:
                piece = last.read(min(left, _COPIED))
                file.write(piece)
                left -= len(piece)
        else:
            file.write(chunk)


def _zones(count: int) -> list[Zone]:
    return [Zone(f"{n:032x}", f"zone-{n}.example", "account", 1, 1) for n in range(count)]


def _mappings(zone: int, places: tuple[Place, ...]) -> list[Mapping]:
    return sorted(
        Mapping(_address(zone, n), places[(zone + n) % len(places)], 1, zone << 16 | n)
        for n in range(MAX_MAPPINGS)
    )


def _address(zone: int, index: int) -> Address:
    """A pseudo-random address, the same in every run."""
    chosen = hashlib.sha256(f"{zone} {index}".encode()).digest()
    return Address(b"\x04" + bytes([1 + chosen[0] % 223]) + chosen[1:4])
