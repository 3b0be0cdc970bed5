"""The report: tables of figures and goals in Markdown, and the run for the history."""

import os
import platform
import statistics
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import plot
from bench.harness.figures import Figures
from bench.harness.rounds import Bench
from bench.report import history
from bench.report.goals import GOALS

_ROOT = Path(__file__).parents[2]
# The usual load of a shell and an editor; a concurrent test run causes more.
_IDLE = 0.5


def environment(bench: Bench) -> list[str]:
    """The environment that affects the figures, line by line."""
    return [
        f"{_cpu()}, {os.cpu_count()} cores; {bench.cores.note}",
        f"Python {platform.python_version()}, {platform.system()} {platform.release()}",
        f"commit {_commit()}",
        f"fdatasync of 4 KiB: {_sync_ms(bench.work):.2f} ms (median)",
        _load_average(),
        f"{bench.rounds} rounds of {bench.seconds} s, medians",
    ]


def tables(figures: Figures) -> str:
    """Both tables: every figure, then every goal that was measured."""
    return history.tables(_cases(figures), _goals(figures))


def record(lines: list[str], figures: Figures, void: list[str], *, complete: bool) -> Path:
    """Add the run to the history, and return its path. `lines` are those of `environment`."""
    machine, system, commit, disk, load, rounds = lines
    run: history.Run = {
        "date": f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}",
        "machine": machine,
        "system": system,
        "commit": commit.removeprefix("commit "),
        "disk": disk,
        "load": load,
        "rounds": rounds,
        "complete": complete,
        "cases": _cases(figures),
        "goals": _goals(figures),
    }
    if void:
        run["void"] = void
    file = history.add_run(run)
    plot.write()
    return file


def _cases(figures: Figures) -> list[history.Case]:
    found = []
    for (case, server), figure in figures.items():
        entry: history.Case = {
            "case": case,
            "server": server,
            "value": figure.value,
            "unit": figure.unit,
        }
        if figure.p99_ms is not None:
            entry["p99_ms"] = figure.p99_ms
        if figure.busy is not None:
            entry |= {"busy": figure.busy, "per_cpu_second": figure.value / figure.busy}
        found.append(entry)
    return found


def _goals(figures: Figures) -> list[history.Goal]:
    reached = ((goal, goal.value(figures)) for goal in GOALS)
    return [
        {
            "goal": goal.text,
            "bound": goal.bound,
            "at_most": goal.at_most,
            "reached": value,
            "unit": goal.unit,
            "met": goal.met(value),
        }
        for goal, value in reached
        if value is not None
    ]


def _load_average() -> str:
    load = os.getloadavg()[0]
    verdict = "the machine was NOT idle, judge by CPU seconds" if load > _IDLE else "idle"
    return f"load average before the run: {load:.2f}, {verdict}"


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _sync_ms(folder: Path) -> float:
    """The duration of one durable write on the disk with the databases."""
    file = folder / "sync"
    handle = os.open(file, os.O_WRONLY | os.O_CREAT)
    times = []
    for _ in range(100):
        started = time.perf_counter()
        os.write(handle, bytes(4096))
        os.fdatasync(handle)
        times.append((time.perf_counter() - started) * 1e3)
    os.close(handle)
    file.unlink()
    return statistics.median(times)
