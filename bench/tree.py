"""Simulates trees of servers with 10,000 and 100,000 nodes: `python -m bench.tree`.

A change starts at the root. A server sends it to its children one after the other; each arrives
after the network's delay, and a replica needs some time until it sends on. These service times are
measured with the case *scale* in the same call, or taken from the newest recorded run with
`--recorded`. For NATS the root is a NATS server with a publisher, and the servers below it are leaf
nodes.

What the model leaves out: servers that are slowed down by other work, and changes that arrive
faster than a server sends them; the column *changes/s* is the rate at which that begins.
"""

import argparse
import random
import shutil
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.cases import scale
from bench.harness.figures import Figure, Figures
from bench.harness.rounds import Bench
from bench.harness.servers import ORIGINMAP, Cores, Failed
from bench.report import history

_WORK = Path(__file__).parents[1] / "build" / "bench-tree"
_SEED = 1
_JITTER = 0.5
"""A delay of the network is up to this share longer."""


class ServiceTimes(NamedTuple):
    """Milliseconds: until the root has a change, to send it to one child, and until a server
    between root and nodes sends it on. `memory` is in KiB for one child."""

    root: float
    send: float
    hop: float
    memory: float


class Spread(NamedTuple):
    """The simulated spread of one change: levels of servers below the root, all servers below it,
    and milliseconds until half of the nodes and until the last one have it."""

    levels: int
    servers: int
    median: float
    last: float


def main() -> int:
    """Print the service times and a table for each kind of server."""
    given = _arguments()
    try:
        figures, source = _recorded() if given.recorded else _measured()
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    simulated = report(service_times(figures), given.nodes, given.widths, given.network_ms)
    print(f"{source}:\n\n{measured(figures)}\n\n{simulated}")
    return 0


def measured(figures: Figures) -> str:
    """The figures of the case scale as a table in Markdown, a row for each way."""
    rows = dict.fromkeys(way for case, way in figures if case.startswith("write to last of "))
    cases = [c for c in dict.fromkeys(case for case, _ in figures) if c.endswith(" nodes")]
    lines = [f"| | {' | '.join(cases)} |", f"|{'---|' * (len(cases) + 1)}"]
    for way in rows:
        cells = (history.shown(figures[case, way].value, figures[case, way].unit) for case in cases)
        lines.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join(lines)


def report(
    times: dict[str, ServiceTimes],
    numbers: Sequence[int],
    widths: Sequence[int],
    network: float,
) -> str:
    """The service times and the simulations as tables in Markdown."""
    lines = ["| ms | root | send to one child | hop | KiB for one child |", "|---|---|---|---|---|"]
    for kind, (root, send, hop, memory) in times.items():
        lines.append(f"| {kind} | {root:.1f} | {send:.4f} | {hop:.1f} | {memory:.0f} |")
    lines += ["", f"Network: {network:g} ms, up to {_JITTER:.0%} more.", ""]
    lines += [
        "| nodes | servers | children of each | levels | servers below the root | median | last |"
        " changes/s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for nodes in numbers:
        for kind, of_kind in times.items():
            for width in [*widths, nodes]:
                spread = simulate(of_kind, nodes, width, network)
                rate = 1_000 / (width * of_kind.send)
                lines.append(
                    f"| {nodes:,} | {kind} | {width:,} | {spread.levels} | {spread.servers:,} |"
                    f" {spread.median:,.0f} ms | {spread.last:,.0f} ms | {_short(rate)} |"
                )
    return "\n".join(lines)


def simulate(times: ServiceTimes, nodes: int, width: int, network: float) -> Spread:
    """Simulate one change in a tree of servers with at most `width` children each."""
    chance = random.Random(_SEED)
    sizes = _sizes(nodes, width)
    arrivals = [times.root]
    for level, size in enumerate(sizes):
        hop = times.hop if level < len(sizes) - 1 else 0.0
        arrivals = [
            arrivals[parent]
            + (turn + 1) * times.send
            + network * (1 + chance.random() * _JITTER)
            + hop
            for parent, turn in _children(len(arrivals), size)
        ]
    return Spread(len(sizes) - 1, sum(sizes[:-1]), statistics.median(arrivals), max(arrivals))


def _sizes(nodes: int, width: int) -> list[int]:
    """The number of servers in each level below the root, and the number of nodes."""
    sizes = [nodes]
    while sizes[0] > width:
        sizes.insert(0, -(-sizes[0] // width))
    return sizes


def _children(parents: int, children: int) -> Iterator[tuple[int, int]]:
    """The parent of each child, and its turn there."""
    for child in range(children):
        yield child % parents, child // parents


def service_times(figures: Figures) -> dict[str, ServiceTimes]:
    """The service times that the figures of *scale* imply. The time to send is the slope between
    few and many nodes."""
    many = max(
        int(case.removeprefix("write to last of ").removesuffix(" nodes").replace(",", ""))
        for case, _ in figures
        if case.startswith("write to last of ")
    )

    def at(nodes: int, way: str) -> float:
        return figures[scale.last(nodes), way].value

    def slope(way: str) -> float:
        return max((at(many, way) - at(scale.FEW, way)) / (many - scale.FEW), 0.0001)

    def base(way: str) -> float:
        return max(at(scale.FEW, way) - scale.FEW * slope(way), 0.0)

    hop = max(at(scale.FEW, scale.TWO_LEVELS) - at(scale.FEW, scale.DIRECT), 0.0) / 2
    return {
        "replicas": ServiceTimes(
            base(scale.DIRECT),
            slope(scale.DIRECT),
            hop,
            figures[scale.memory(many), scale.DIRECT].value,
        ),
        "NATS": ServiceTimes(
            base(scale.JETSTREAM),
            slope(scale.JETSTREAM),
            at(scale.FEW, scale.BARE_JETSTREAM),  # storing, and sending to a few: an upper bound
            figures[scale.memory(many), scale.JETSTREAM].value,
        ),
    }


def _measured() -> tuple[Figures, str]:
    needed = ORIGINMAP.missing()
    if needed:
        raise Failed(needed)
    shutil.rmtree(_WORK, ignore_errors=True)
    _WORK.mkdir(parents=True)
    bench = Bench(Cores.choose(), _WORK, 1, 1)
    bench.cores.take_load()
    return scale.measure(bench), "Measured now"


def _recorded() -> tuple[Figures, str]:
    for run in reversed(history.read_runs()):
        figures = {
            (case["case"], case["server"]): Figure(case["value"], case["unit"])
            for case in run["cases"]
        }
        if (scale.last(scale.FEW), scale.DIRECT) in figures:
            scales = {key: figures[key] for key in figures if key[0].endswith(" nodes")}
            return scales, f"Measured in the run of {run['date']} ({run['load']})"
    raise Failed("no recorded run has the case scale: python -m bench --only scale --record")


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.tree", description=__doc__)
    parser.add_argument("--recorded", action="store_true", help="use the newest recorded run")
    parser.add_argument(
        "--nodes", type=int, nargs="+", default=[10_000, 100_000], help="default: 10000 100000"
    )
    parser.add_argument(
        "--widths", type=int, nargs="+", default=[10, 100, 1_000], help="default: 10 100 1000"
    )
    parser.add_argument("--network-ms", type=float, default=20.0, help="one way; default: 20")
    given = parser.parse_args()
    if min([*given.nodes, *given.widths]) < 2 or given.network_ms < 0:
        parser.error("nodes and widths are at least 2, the network's delay is not negative")
    return given


if __name__ == "__main__":
    sys.exit(main())
