"""The cases without load: the time from start to the first response, and memory when idle.

Every start uses a new database file, so it includes the creation of the tables and of the well-
known zone and token: the slowest kind of start.
"""

import statistics

from bench.harness import dataset
from bench.harness.figures import Figure, Figures
from bench.harness.rounds import Bench
from bench.harness.servers import PROGRAMS, Server

FIRST_ANSWER = "first answer after start"
IDLE_MEMORY = "memory when idle (RSS)"

_STARTS_PER_ROUND = 3


def measure(bench: Bench) -> Figures:
    """Start every server several times in turns; return the medians."""
    first: dict[str, list[float]] = {program.name: [] for program in PROGRAMS}
    memory: dict[str, list[float]] = {program.name: [] for program in PROGRAMS}
    # The start before the measured ones brings the files into the page cache.
    for at in range(bench.rounds * _STARTS_PER_ROUND + 1):
        for program in PROGRAMS:
            db = bench.work / f"start-{at}-{bench.database(program).name}"
            with Server(program, db, bench.cores) as server:
                server.ask(dataset.get_one()[0])
                if at:
                    first[program.name].append(server.first_answer_ms)
                    memory[program.name].append(server.rss_mib())
        print(f"  starts: {at} of {bench.rounds * _STARTS_PER_ROUND}", flush=True)
    figures: Figures = {}
    for program in PROGRAMS:
        median = statistics.median(first[program.name])
        figures[FIRST_ANSWER, program.name] = Figure(median, "ms")
        median = statistics.median(memory[program.name])
        figures[IDLE_MEMORY, program.name] = Figure(median, "MiB")
    return figures
