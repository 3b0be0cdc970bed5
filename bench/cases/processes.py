"""The case of 1, 2 and 4 processes on one PostgreSQL database, with the same load in total.

Each process has a core to itself if there are enough; the database server and the load generator
share the rest. With two cores, all processes share one: the figures then show what more processes
cost, not what they gain.
"""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.cases import postgres, throughput
from bench.cases.throughput import Case
from bench.harness import dataset
from bench.harness.figures import Figures, median
from bench.harness.rounds import Bench, Subject
from bench.harness.servers import Fleet, Program, Server
from tests.postgres import Cluster

COUNTS = (1, 2, 4)
ANCHOR = "bare asyncpg"


def get(count: int) -> str:
    """The name of the case GET with a number of processes."""
    return _name(throughput.GET, count)


def put(count: int) -> str:
    """The name of the case PUT with a number of processes."""
    return _name(throughput.PUT, count)


def _name(case: Case, count: int) -> str:
    return f"{case.name}, {count} {'process' if count == 1 else 'processes'}"


def measure(bench: Bench) -> Figures:
    """Start four processes of Originmap and of the anchor, and load some of them."""
    figures: Figures = {}
    with ExitStack() as stack:
        with bench.cores.beside_servers(COUNTS[-1]):
            cluster = Cluster(durable=True, parent=bench.work)
        stack.callback(cluster.remove)
        programs = (
            Program(postgres.NAME, postgres.command(cluster.new_database())),
            Program(ANCHOR, _anchor(cluster.new_database())),
        )
        fleets = {program.name: _started(stack, bench, program) for program in programs}
        for request in dataset.fill():
            fleets[postgres.NAME][0].answer(request)
        for case in (throughput.GET, throughput.PUT):
            for count in COUNTS:
                subjects = [
                    Subject(name, Fleet(servers[:count]), case.requests)
                    for name, servers in fleets.items()
                ]
                for name, samples in bench.run(_name(case, count), subjects).items():
                    figures[_name(case, count), name] = median(samples, case.unit, 1)
    return figures


def _anchor(url: str) -> Callable[[Path, int], list[str]]:
    def with_port(db: Path, port: int) -> list[str]:
        return [
            sys.executable,
            "-m",
            "bench.anchors.bare_asyncpg",
            "--db",
            url,
            "--port",
            str(port),
        ]

    return with_port


def _started(stack: ExitStack, bench: Bench, program: Program) -> list[Server]:
    return [
        stack.enter_context(
            Server(program, bench.work / f"{program.name.replace(' ', '-')}-{n}.db", bench.cores, n)
        )
        for n in range(COUNTS[-1])
    ]
