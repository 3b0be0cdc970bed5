"""The cases of mappings as code: `originmap plan` as a user runs it, against a server on loopback.

A run is one process: it starts, reads the file, lists every zone, and compares. The plan is always
empty, so that each run equals the one before. Memory is the peak of the process.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.harness import dataset
from bench.harness.dataset import Request
from bench.harness.figures import Figure, Figures
from bench.harness.rounds import Bench
from bench.harness.servers import ORIGINMAP, Failed, Server

PLAN = "plan, a full zone"
PLAN_MANY = "plan, 100 full zones"
MEMORY_MANY = "memory of the plan of 100 full zones (RSS)"

_ZONES = 100
_MANY_ROUNDS = 1
_COMMAND = str(Path(sys.executable).with_name("originmap"))
_ACCOUNT = dataset.ZONE
_PLACES = tuple(f"{dataset.VENDOR}/{region}" for region in dataset.REGIONS)


class _Run(NamedTuple):
    seconds: float
    mib: float


def measure(bench: Bench) -> Figures:
    """Medians for full zones; the plan of many zones is slow and measured once."""
    with Server(ORIGINMAP, bench.work / "plans.db", bench.cores) as server:
        one = _file(bench.work / "one.yaml", ["example.com"])
        _run(server, "apply", str(one), "--yes")
        runs = [_run(server, "plan", str(one)) for _ in range(bench.rounds * 3)]
        print(f"  {PLAN}: {len(runs)} runs", flush=True)
        zones = [f"zone-{number}.example" for number in range(_ZONES)]
        for zone in zones:
            body = f'{{"name":"{zone}","account":{{"id":"{_ACCOUNT}"}}}}'
            server.answer(Request("POST", "/client/v4/zones", body))
        many = _file(bench.work / "many.yaml", zones)
        filled = _run(server, "apply", str(many), "--yes")
        print(f"  applied {_ZONES} full zones: {filled.seconds:,.1f} s", flush=True)
        many_runs = [_run(server, "plan", str(many)) for _ in range(_MANY_ROUNDS)]
    return {
        (PLAN, ORIGINMAP.name): Figure(
            statistics.median([run.seconds for run in runs]) * 1000, "ms"
        ),
        (PLAN_MANY, ORIGINMAP.name): Figure(
            statistics.median([run.seconds for run in many_runs]) * 1000, "ms"
        ),
        (MEMORY_MANY, ORIGINMAP.name): Figure(max(run.mib for run in many_runs), "MiB"),
    }


def _file(path: Path, zones: Sequence[str]) -> Path:
    """A file of full zones, each origin in a different region than the previous one."""
    with path.open("w", encoding="utf-8") as out:
        out.write("zones:\n")
        for zone in zones:
            out.write(f"  {zone}:\n    mappings:\n")
            for index in range(dataset.ZONE_SIZE):
                place = _PLACES[index % len(_PLACES)]
                out.write(f"      {dataset.address(index)}: {place}\n")
    return path


def _run(server: Server, *args: str) -> _Run:
    """Run the command to its end. Raises Failed if it finds an error or a difference."""
    environment = {
        **os.environ,
        "CLOUDFLARE_BASE_URL": f"{server.url}/client/v4",
        "CLOUDFLARE_API_TOKEN": dataset.TOKEN,
    }
    started = time.perf_counter()
    process = subprocess.Popen(
        [_COMMAND, *args], env=environment, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failed(f"originmap {' '.join(args)}: exit status {process.returncode}")
    return _Run(seconds, used.ru_maxrss / 1024)
