"""The server for tests: its start, a reset, and the cost of the journal per GET."""

import statistics
import subprocess
import sys
import time
from contextlib import ExitStack

from bench.cases.throughput import GET
from bench.harness import dataset
from bench.harness.figures import Figure, Figures, median
from bench.harness.rounds import Bench, Subject
from bench.harness.servers import BARE_FALCON, FOR_TESTS, ORIGINMAP, Server
from originmap import testing

START = "start of the server for tests"
RESET = "reset of the server for tests"
JOURNAL = "GET one, with and without the journal"
PLUGIN = "pytest without a test, with and without the plugin"
WITHOUT = "without"

_STARTS, _RESETS, _RUNS = 7, 200, 7


def measure(bench: Bench) -> Figures:
    """The medians. Starts and resets use the library that tests use."""
    name = ORIGINMAP.name
    figures = _starts(bench)
    figures[RESET, name] = Figure(_reset_ms(), "ms")
    figures |= _plugin()
    return figures | _journal(bench)


def _starts(bench: Bench) -> Figures:
    """The starts of the server for tests and of a bare server, in turns."""
    times: dict[str, list[float]] = {ORIGINMAP.name: [], BARE_FALCON.name: []}
    for at in range(_STARTS + 1):
        began = time.perf_counter()
        with testing.Server():
            ours = (time.perf_counter() - began) * 1e3
        with Server(BARE_FALCON, bench.work / f"start-for-tests-{at}.db", bench.cores) as bare:
            if at:  # the first start brings the files into the page cache
                times[ORIGINMAP.name].append(ours)
                times[BARE_FALCON.name].append(bare.first_answer_ms)
    return {(START, name): Figure(statistics.median(each), "ms") for name, each in times.items()}


def _reset_ms() -> float:
    times = []
    with testing.Server() as server:
        for _ in range(_RESETS):
            server.freeze("2026-03-01T12:00:00Z")
            began = time.perf_counter()
            server.reset()
            times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3


def _plugin() -> Figures:
    """The duration of a test run without tests."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    variants = {ORIGINMAP.name: [], WITHOUT: ["-p", "no:originmap"]}
    times: dict[str, list[float]] = {name: [] for name in variants}
    for at in range(_RUNS + 1):
        for name, options in variants.items():
            began = time.perf_counter()
            subprocess.run([*command, *options, "bench"], stdout=subprocess.DEVNULL, check=False)
            if at:
                times[name].append(time.perf_counter() - began)
    return {
        (PLUGIN, name): Figure(statistics.median(each) * 1e3, "ms") for name, each in times.items()
    }


def _journal(bench: Bench) -> Figures:
    """GET in turns, on a server with a journal and on one without."""
    with ExitStack() as stack:
        running = []
        for program in (FOR_TESTS, ORIGINMAP):
            db = bench.work / f"journal-{program.name.replace(' ', '-')}.db"
            server = stack.enter_context(Server(program, db, bench.cores))
            for request in dataset.fill():
                server.answer(request)
            running.append(Subject(program.name, server, GET.requests))
        samples = bench.run(JOURNAL, running)
    return {(JOURNAL, name): median(each, "requests/s", 1) for name, each in samples.items()}
