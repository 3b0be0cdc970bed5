"""One change on a node: the agent's own time until the files are in place, and its memory.

Each format has a process of its own with a replica in a file, in which one mapping after another is
moved or removed; the agent updates the files as `originmap edge` does, without checks and commands.
The copies that it makes afterwards for the next change are timed apart. Then the cache's own
checker, if it is installed, reads the files: most of the time of a reload.
"""

import asyncio
import multiprocessing
import os
import shutil
import statistics
import sys
import time
from collections.abc import Awaitable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from bench.cases import exports
from bench.harness import fill
from bench.harness.figures import Figure, Figures
from bench.harness.rounds import Bench
from originmap import data, databases
from originmap.domain.history.change import Cause, Change
from originmap.domain.mapping.mapping import MAX_MAPPINGS, MappingChange
from originmap.edge import checker
from originmap.edge.agent import Agent
from originmap.edge.errors import CheckerMissing, CommandFailed
from originmap.edge.pace import Pace
from originmap.edge.record import ApplyRecord
from originmap.edge.renderer import Renderer, Standpoint
from originmap.edge.target import Duty, Target
from originmap.export.endpoint import read
from originmap.export.formats import FORMATS, format_called
from originmap.store.clock import monotonic_clock, wall_clock
from originmap.store.port import Store

SMALL, MIDDLE, LARGE = 10, 100, 286
"""Full zones: 35,000, 350,000 and a million mappings."""
SLOWEST, LARGEST = "the slowest format of a cache", "the largest process"

_WITHOUT_SPACE = ("csv", "json")
"""Formats without free space, for other programs than caches."""
_COLO = "SIN"
_UPSTREAMS = [f"{colo.code}=192.0.2.{n}:80" for n, colo in enumerate(data.topology().colos, 1)]
_CHANGES = 20
_CAUSE = Cause("bench", "", "bench")


class _Time(NamedTuple):
    wall: float
    processor: float


class _Run(NamedTuple):
    first: float  # seconds for the complete files
    median: float
    processor: float  # the median of the processor time
    longest: float
    prepare: float  # the median of the time to prepare for the next change
    memory: float  # MiB, the peak of the process
    size: int  # bytes of all files
    check: float | None  # seconds of the cache's own checker


def title(zones: int) -> str:
    """The case with this number of zones."""
    return f"agent's work for one change of {zones * MAX_MAPPINGS:,} mappings"


def check_title(zones: int) -> str:
    """The time of the cache's own checker in that case."""
    return f"the cache's own check of {zones * MAX_MAPPINGS:,} mappings"


def memory_title(zones: int) -> str:
    """The memory in that case."""
    return f"memory of the agent, {zones * MAX_MAPPINGS:,} mappings"


def measure(bench: Bench) -> Figures:
    """The figures with 35,000 and 350,000 mappings."""
    return _measure(bench, (SMALL, MIDDLE))


def measure_large(bench: Bench) -> Figures:
    """The figures with a million mappings."""
    return _measure(bench, (LARGE,))


def _measure(bench: Bench, sizes: Iterable[int]) -> Figures:
    figures: Figures = {}
    for zones in sizes:
        replica = _replica(bench.work, zones)
        runs = {}
        for known in FORMATS:
            spawn = multiprocessing.get_context("spawn")
            with bench.cores.server_core(), ProcessPoolExecutor(1, spawn) as process:
                run = process.submit(_run, known.name, zones, replica, bench.work).result()
            runs[known.name] = run
            _print(known.name, zones, run)
            figures[title(zones), known.name] = Figure(run.median * 1000, "ms")
            if run.check is not None:
                figures[check_title(zones), known.name] = Figure(run.check * 1000, "ms")
        slowest = max(run.median for name, run in runs.items() if name not in _WITHOUT_SPACE)
        figures[title(zones), SLOWEST] = Figure(slowest * 1000, "ms")
        figures[memory_title(zones), LARGEST] = Figure(max(r.memory for r in runs.values()), "MiB")
    return figures


def _print(name: str, zones: int, run: _Run) -> None:
    check = "no check" if run.check is None else f"its own check {run.check * 1000:,.0f} ms"
    median, longest, processor, prepare = (
        f"{seconds * 1000:.0f} ms"
        for seconds in (run.median, run.longest, run.processor, run.prepare)
    )
    print(
        f"  {name}, {zones * MAX_MAPPINGS:,} mappings: {median}, at most {longest}, processor"
        f" {processor}, copies {prepare}; {check}; {run.memory:.0f} MiB, {run.size / 1e6:.1f} MB;"
        f" first {run.first:.1f} s",
        flush=True,
    )


def _replica(work: Path, zones: int) -> Path:
    """The file of a replica, as an agent has one."""
    primary, file = work / f"updates-{zones}-primary.db", work / f"updates-{zones}.db"
    fill.fill(primary, zones, MAX_MAPPINGS, MAX_MAPPINGS, exports.new_mappings)

    async def load() -> None:
        async with databases.opened(str(primary)) as source, databases.opened(str(file)) as copy:
            await copy.load(source.snapshot())

    asyncio.run(load())
    return file


def _run(name: str, zones: int, replica: Path, work: Path) -> _Run:
    folder = work / f"updates-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(replica, folder / "replica.db")
    return asyncio.run(_followed(name, zones, folder))


async def _followed(name: str, zones: int, folder: Path) -> _Run:
    known = format_called(name)
    path = folder / "files" if known.several else folder / known.files[0].name
    duty = Duty(known, path)
    async with databases.opened(str(folder / "replica.db")) as store:
        agent = _agent(store, duty, folder)
        first = await _timed(agent.update())
        copies, updates = [await _timed(agent.prepare())], list[_Time]()
        for number in range(_CHANGES):
            await _change(store, number % zones, number)
            updates.append(await _timed(agent.update()))
            copies.append(await _timed(agent.prepare()))
        memory = _peak_memory()
        assert agent.rendered
        assert not agent.problems
        files = {file.name: path for path, file in duty.files(agent.rendered.node).items()}
    size = sum(each.stat().st_size for each in files.values())
    median = _Time(*(statistics.median(values) for values in zip(*updates, strict=True)))
    longest = max(each.wall for each in updates)
    prepare = statistics.median(each.wall for each in copies)
    return _Run(first.wall, *median, longest, prepare, memory, size, _check(name, files))


def _agent(store: Store, duty: Duty, folder: Path) -> Agent:
    point = Standpoint("bench", _COLO, (), read(_UPSTREAMS))
    return Agent(
        store,
        Renderer(store, point, data.catalogue(), data.topology(), wall_clock),
        [Target(duty, None, ApplyRecord(folder / "record.json"), {})],
        Pace(0.0, 1e9),
        lambda revision, problem: None,
        lambda: None,
        wall_clock,
        lambda: monotonic_clock() / 1e6,
    )


async def _timed(work: Awaitable[object]) -> _Time:
    started = time.perf_counter(), time.process_time()
    await work
    return _Time(time.perf_counter() - started[0], time.process_time() - started[1])


async def _change(store: Store, zone: int, number: int) -> None:
    """Move a mapping of a zone to another region, or remove it."""
    zone_id = fill.zone_id(zone)
    before = (await store.page(zone_id, 7 * number, 1)).mappings[0]
    after = exports.PLACES[(exports.PLACES.index(before.place) + 1) % len(exports.PLACES)]
    what = MappingChange(before.address, before.place, None if number % 2 else after)
    await store.apply([Change(store.revision + 1, wall_clock(), _CAUSE, zone_id, what)])


def _peak_memory() -> float:
    """MiB of this process; `getrusage` would count its parent before it was started."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _check(name: str, files: dict[str, Path]) -> float | None:
    """The seconds of the cache's own checker; None if there is none, or it did not finish."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    try:
        program = checker.checker_of(name, environment)
        if program is None:
            return None
        started = time.perf_counter()
        checker.check(program, files, environment)
        return time.perf_counter() - started
    except (CheckerMissing, CommandFailed) as error:
        print(f"  {name}: {error}", flush=True)
        return None
