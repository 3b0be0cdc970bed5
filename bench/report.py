"""The report: tables of figures and goals in Markdown, and the dated record in the docs."""

import os
import platform
import statistics
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Figure, Figures
from bench.goals import GOALS, Goal
from bench.rounds import Bench

_ROOT = Path(__file__).parents[1]
_RECORD = _ROOT / "docs" / "performance.md"
# What one shell and its editor cause; a test run beside the bench causes more.
_IDLE = 0.5
# Below this, a figure is shown with a decimal.
_SMALL = 100
_SECTION = "\n## "
_INTRODUCTION = """# Performance

What `make bench` and `make bench-large` measured, newest first; how, is told in
[bench/README.md](../bench/README.md). Absolute figures belong to the machine of the day:
only ratios, taken within one run, can be compared.
"""


def environment(bench: Bench) -> list[str]:
    """What the figures depend on, line by line."""
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
    return f"{_figure_table(figures)}\n\n{_goal_table(figures)}"


def record(lines: list[str], text: str) -> Path:
    """Put a dated section at the top of docs/performance.md; answers the file."""
    old = _RECORD.read_text() if _RECORD.exists() else _INTRODUCTION
    head, separator, sections = old.partition(_SECTION)
    facts = "\n".join(f"- {line}" for line in lines)
    title = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    section = f"\n## {title}\n\n{facts}\n\n{text}\n"
    _RECORD.write_text(head.rstrip() + "\n" + section + separator + sections)
    return _RECORD


def _figure_table(figures: Figures) -> str:
    rows = [
        "| case | server | figure | p99 | server busy | per CPU second |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for (case, server), figure in figures.items():
        cells = [case, server, _shown(figure.value, figure.unit), *_load_cells(figure)]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _goal_table(figures: Figures) -> str:
    rows = ["| goal | bound | reached | |", "|---|---:|---:|---|"]
    for goal in GOALS:
        value = goal.value(figures)
        if value is not None:
            rows.append(_goal_row(goal, value))
    return "\n".join(rows)


def _goal_row(goal: Goal, value: float) -> str:
    bound = f"{'≤' if goal.at_most else '≥'} {_shown(goal.bound, goal.unit)}"
    verdict = "met" if goal.met(value) else "**missed**"
    return f"| {goal.text} | {bound} | {_shown(value, goal.unit)} | {verdict} |"


def _shown(value: float, unit: str) -> str:
    if unit == "x":
        return f"{value:.2f} x"
    return f"{value:,.1f} {unit}" if 0 < value < _SMALL else f"{value:,.0f} {unit}"


def _load_cells(figure: Figure) -> tuple[str, str, str]:
    p99 = "" if figure.p99_ms is None else f"{figure.p99_ms:,.1f} ms"
    if figure.busy is None:
        return p99, "", ""
    return p99, f"{figure.busy:.0%}", f"{figure.value / figure.busy:,.0f}"


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
    """What one durable write costs on the disk that holds the databases."""
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
