"""The recorded runs: a line of JSON each in history.jsonl, and the page about the newest one.

docs/performance.md shows the newest complete run. Standard library only, so that tests can read it
without the dependencies of the benchmark.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NotRequired, TypedDict

_ROOT = Path(__file__).parents[2]
HISTORY = _ROOT / "bench" / "history.jsonl"
PAGE = _ROOT / "docs" / "performance.md"

# Below this, a figure is shown with a decimal.
_SMALL = 100
_RATIO = "x"
_INTRODUCTION = """# Performance

The newest complete run of `make bench`; [bench/README.md](../bench/README.md) explains how it
measures. Absolute figures depend on the machine: compare only ratios, which are taken within one
run.

![The ratios to other servers over time](images/performance.svg)

`bench/history.jsonl` has all recorded runs, including those of single cases and of
`make bench-large`, one JSON object per line. `make bench-plot` draws the ratios of all of them.
"""


class Case(TypedDict):
    """The result for a case and a server."""

    case: str
    server: str
    value: float
    unit: str
    p99_ms: NotRequired[float]
    busy: NotRequired[float]  # share of the run in which the server used its core
    per_cpu_second: NotRequired[float]


class Goal(TypedDict):
    """A goal, its bound and the measured value."""

    goal: str
    bound: float
    at_most: bool
    reached: float
    unit: str
    met: bool


class Run(TypedDict):
    """A recorded run. `complete` means all cases of `make bench`."""

    date: str
    machine: str
    system: str
    commit: str
    disk: str
    load: str
    rounds: str
    complete: bool
    cases: list[Case]
    goals: list[Goal]
    void: NotRequired[list[str]]


def read_runs(file: Path = HISTORY) -> list[Run]:
    """All runs, the oldest first."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def add_run(run: Run, file: Path = HISTORY, shown_on: Path = PAGE) -> Path:
    """Add a run to the history, and to the page if it is complete; return the history."""
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(run, ensure_ascii=False) + "\n")
    if run["complete"]:
        shown_on.write_text(page(run), "utf-8")
    return file


def newest_complete(runs: Iterable[Run]) -> Run:
    """The run that the page shows: the newest complete one."""
    return max((run for run in runs if run["complete"]), key=lambda run: run["date"])


def page(run: Run) -> str:
    """The content of docs/performance.md."""
    facts = [run["machine"], run["system"], f"commit {run['commit']}", run["disk"]]
    facts += [run["load"], run["rounds"]]
    title = run["date"].replace("T", " ").replace("Z", " UTC")
    listed = "\n".join(f"- {fact}" for fact in facts)
    text = f"{_INTRODUCTION}\n## {title}\n\n{listed}\n\n{tables(run['cases'], run['goals'])}\n"
    return text + void_runs(run.get("void", []))


def tables(cases: Iterable[Case], goals: Iterable[Goal]) -> str:
    """Both tables: every figure, then every goal that was measured."""
    rows = [
        "| case | server | figure | p99 | server busy | per CPU second |",
        "|---|---|---:|---:|---:|---:|",
        *map(_case_row, cases),
        "",
        "| goal | bound | reached | |",
        "|---|---:|---:|---|",
        *map(_goal_row, goals),
    ]
    return "\n".join(rows)


def void_runs(void: Iterable[str]) -> str:
    """The runs that were left out of the medians, or "" if there are none."""
    lines = "\n".join(void)
    return f"\nVoid runs, left out of the medians:\n\n{lines}\n" if lines else ""


def _case_row(case: Case) -> str:
    p99 = f"{case['p99_ms']:,.1f} ms" if "p99_ms" in case else ""
    busy = f"{case['busy']:.0%}" if "busy" in case else ""
    per_second = f"{case['per_cpu_second']:,.0f}" if "per_cpu_second" in case else ""
    cells = [case["case"], case["server"], shown(case["value"], case["unit"])]
    return f"| {' | '.join([*cells, p99, busy, per_second])} |"


def _goal_row(goal: Goal) -> str:
    unit = goal["unit"]
    bound = f"{'≤' if goal['at_most'] else '≥'} {shown(goal['bound'], unit)}"
    verdict = "met" if goal["met"] else "**missed**"
    return f"| {goal['goal']} | {bound} | {shown(goal['reached'], unit)} | {verdict} |"


def shown(value: float, unit: str) -> str:
    """A figure with its unit."""
    if unit == _RATIO:
        return f"{value:.2f} x"
    return f"{value:,.1f} {unit}" if 0 < value < _SMALL else f"{value:,.0f} {unit}"
