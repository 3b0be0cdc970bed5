"""The case on PostgreSQL: durable PUTs, on a temporary server that commits to disk.

The PostgreSQL server shares the load generator's core, so that Originmap has a core to itself, as
in the other cases.
"""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.cases import throughput
from bench.harness import dataset
from bench.harness.figures import Figures, median
from bench.harness.rounds import Bench, Subject
from bench.harness.servers import Program, Server
from tests import postgres

NAME = "originmap on PostgreSQL"
PUT = throughput.PUT.name
GET = throughput.GET.name


def missing() -> str | None:
    """The missing program to install before this case can run, or None."""
    return None if postgres.binaries() else postgres.HOW_TO_INSTALL


def measure(bench: Bench) -> Figures:
    """Start both servers, fill the zone, and measure."""
    figures: Figures = {}
    with ExitStack() as stack:
        cluster = postgres.Cluster(durable=True, parent=bench.work)
        stack.callback(cluster.remove)
        program = Program(NAME, command(cluster.new_database()))
        server = stack.enter_context(Server(program, bench.database(program), bench.cores))
        for request in dataset.fill():
            server.answer(request)
        for case in (throughput.GET, throughput.PUT):
            samples = bench.run(case.name, [Subject(NAME, server, case.requests)])
            for name, taken in samples.items():
                figures[case.name, name] = median(taken, case.unit, case.per_request)
    return figures


def command(url: str) -> Callable[[Path, int], list[str]]:
    """The command of a server on the database of `url`."""
    script = Path(sys.executable).with_name("originmap")

    def with_port(db: Path, port: int) -> list[str]:
        return [str(script), "dev", "--db", url, "--port", str(port)]

    return with_port
