"""Exports of a million mappings with the command-line tool: duration and memory.

The addresses are scattered over all of IPv4 and, one in five, IPv6, in every region of the
catalogue: the worst case for a search tree.
"""

import hashlib
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.harness import fill
from bench.harness.figures import Figure, Figures
from bench.harness.rounds import Bench
from bench.harness.servers import Failed
from originmap import data
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Decision, MappingChange, Place, ZoneView
from originmap.export.format import File, Format
from originmap.export.formats import FORMATS

COMMAND = "originmap export"
TEXT, TEXT_MEMORY = "export of 1 M mappings, slowest text", "memory for it, largest"
MMDB, MMDB_MEMORY = "export of 1 M mappings, MMDB", "memory for MMDB"

_ZONES, _MAPPINGS = 1_000, 1_000
_IPV6_EVERY = 5
_PROGRAM = Path(sys.executable).with_name("originmap")
PLACES = [Place(region.vendor, region.name) for region in data.catalogue().regions()]


def measure(bench: Bench) -> Figures:
    """Fill a database, then export it in every format, once per round."""
    file = bench.work / "exports.db"
    fill.fill(file, _ZONES, _MAPPINGS, _MAPPINGS, new_mappings)
    figures: Figures = {}
    text, memory = [], []
    with bench.cores.server_core():
        for known in FORMATS:
            for each in known.files:
                runs = [_run(known, each, file, bench.work) for _ in range(bench.rounds)]
                seconds = statistics.median(run[0] for run in runs)
                mebibytes = statistics.median(run[1] for run in runs)
                print(
                    f"  {known.name} {each.name}: {seconds:.1f} s, {mebibytes:.0f} MiB", flush=True
                )
                if known.name == "mmdb":
                    figures[MMDB, COMMAND] = Figure(seconds, "s")
                    figures[MMDB_MEMORY, COMMAND] = Figure(mebibytes, "MiB")
                else:
                    text.append(seconds)
                    memory.append(mebibytes)
    figures[TEXT, COMMAND] = Figure(max(text), "s")
    figures[TEXT_MEMORY, COMMAND] = Figure(max(memory), "MiB")
    return figures


def _run(known: Format, file: File, db: Path, work: Path) -> tuple[float, float]:
    """Seconds and peak memory in MiB of one export to a file."""
    command = [_PROGRAM, "export", known.name, "--db", db, "--colo", "SIN"]
    if known.upstreams:
        command += ["--upstream", "{colo}.cache.example.net:80"]
    if len(known.files) > 1:
        command += ["--file", file.name]
    started = time.perf_counter()
    process = subprocess.Popen([*command, "--out", work / "export"])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(f"originmap export {known.name} failed")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def new_mappings(zone: int, indexes: range, view: ZoneView) -> Decision[None]:
    """Mappings of a zone at scattered addresses, as `fill` needs them."""
    changes = (
        MappingChange(_address(zone, index), None, PLACES[(zone + index) % len(PLACES)])
        for index in indexes
    )
    return Decision(tuple(changes), None)


def _address(zone: int, index: int) -> Address:
    """A pseudo-random address, the same in every run."""
    chosen = hashlib.sha256(f"{zone} {index}".encode()).digest()
    if index % _IPV6_EVERY == 0:
        return Address(b"\x06\x20" + chosen[:15])
    return Address(b"\x04" + bytes([1 + chosen[0] % 223]) + chosen[1:4])
