"""Measures Originmap against its anchors and its goals, and prints both tables.

Exit status: 0 measured (goals may be missed), 1 a run was void or a server failed,
2 something has to be installed first.
"""

import argparse
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import comparison
from bench.cases import (
    catchup,
    exports,
    large,
    lookups,
    loop,
    plans,
    postgres,
    processes,
    scale,
    shared,
    snapshots,
    starts,
    testing,
    throughput,
    ui,
    updates,
    watchers,
)
from bench.harness import load
from bench.harness.figures import Figures
from bench.harness.rounds import NODES, Bench
from bench.harness.servers import ORIGINMAP, Cores, Failed
from bench.report import history, report

# On the disk that the project is on: a temporary folder may be in memory, where a
# durable write costs nothing.
_WORK = Path(__file__).parents[1] / "build" / "bench"


def main() -> int:
    """Run the selected measurements."""
    given = _arguments()
    needed = load.missing() or ORIGINMAP.missing()
    if needed:
        print(needed, file=sys.stderr)
        return 2
    shutil.rmtree(_WORK, ignore_errors=True)
    _WORK.mkdir(parents=True)
    bench = Bench(Cores.choose(), _WORK, given.rounds, given.seconds, tuple(given.nodes))
    bench.cores.take_load()
    facts = report.environment(bench)
    print("\n".join(facts), flush=True)
    try:
        if given.against:
            print(f"\n{comparison.measure(bench, given.against, given.only)}")
            return 1 if bench.void else 0
        figures = _measure(bench, given)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    text = report.tables(figures)
    if bench.void:
        text += "\n" + history.void_runs(bench.void)
    print(f"\n{text}")
    if given.record:
        complete = not given.large and given.only is None
        file = report.record(facts, figures, bench.void, complete=complete)
        print(f"\nrecorded in {file}")
    return 1 if bench.void else 0


def _measure(bench: Bench, given: argparse.Namespace) -> Figures:
    def measured(cases: dict[str, Callable[[Bench], Figures]]) -> Figures:
        figures: Figures = {}
        for name, measure in cases.items():
            if given.only in (None, name):
                figures |= measure(bench)
        return figures

    if given.large:
        return measured(_LARGE)
    chosen = [case for name, case in throughput.CASES.items() if given.only in (None, name)]
    figures = throughput.measure(bench, chosen) if chosen else {}
    return figures | measured(_OTHERS)


def _on_postgres(bench: Bench) -> Figures:
    return _unless(postgres.missing(), postgres.measure, bench)


def _on_several_processes(bench: Bench) -> Figures:
    return _unless(postgres.missing(), processes.measure, bench)


def _in_browser(bench: Bench) -> Figures:
    return _unless(ui.missing(), ui.measure, bench)


def _unless(missing: str | None, measure: Callable[[Bench], Figures], bench: Bench) -> Figures:
    if missing:
        print(f"left out: {missing}", flush=True)
        return {}
    return measure(bench)


_OTHERS: dict[str, Callable[[Bench], Figures]] = {
    "start": starts.measure,
    "lookups": lookups.measure,
    "postgres": _on_postgres,
    "processes": _on_several_processes,
    "plan": plans.measure,
    "exports": exports.measure,
    "updates": updates.measure,
    "shared": shared.measure,
    "watchers": watchers.measure,
    "scale": scale.measure,
    "catchup": catchup.measure,
    "snapshot": snapshots.measure,
    "loop": loop.measure,
    "testing": testing.measure,
    "ui": _in_browser,
}

_LARGE: dict[str, Callable[[Bench], Figures]] = {
    "large": large.measure,
    "updates": updates.measure_large,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds per case (default: 3)")
    parser.add_argument("--seconds", type=int, default=5, help="length of a run (default: 5)")
    parser.add_argument(
        "--nodes", type=int, nargs="+", default=NODES,
        help="nodes of the case scale, beside 100 (default: 1000 5000)",
    )  # fmt: skip
    parser.add_argument("--only", metavar="CASE", help="run only this case")
    parser.add_argument("--against", metavar="REV", help="only compare with this version from git")
    parser.add_argument(
        "--large",
        action="store_true",
        help="run the cases with 1 million and 10 million mappings instead",
    )
    parser.add_argument(
        "--record",
        action="store_true",
        help="add the result to bench/history.jsonl, and a complete run to docs/performance.md",
    )
    given = parser.parse_args()
    choices: Iterable[str]
    if given.against:
        choices = comparison.CASES
    else:
        choices = _LARGE if given.large else (*throughput.CASES, *_OTHERS)
    if given.only not in (None, *choices):
        parser.error(f"--only takes one of: {', '.join(choices)}")
    return given


if __name__ == "__main__":
    sys.exit(main())
