"""The load generator: runs wrk against one server and parses its output.

A run with an unsuccessful response or a broken connection is void, because a server that rejects
requests quickly must not look fast.
"""

import json
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.harness.dataset import TOKEN, Request

SCRIPT = Path(__file__).with_name("replay.lua")
_MARK = "RESULT "


class VoidRun(Exception):
    """A run without a result, because requests failed."""


@dataclass(frozen=True)
class Run:
    """The result of one run."""

    per_second: float
    p99_ms: float


def missing() -> str | None:
    """The missing program to install before a run can start, or None."""
    if shutil.which("wrk"):
        return None
    return "the load generator wrk is missing: apt-get install wrk"


def write_requests(requests: Iterable[Request], file: Path) -> Path:
    """Write requests in the form that replay.lua reads."""
    with file.open("w") as out:
        for request in requests:
            out.write(f"{request.method}\t{request.path}\t{request.body}\n")
    return file


def run_all(urls: Sequence[str], requests: Sequence[Path], connections: int, seconds: int) -> Run:
    """Send the requests of each file to its URL, all at the same time; `connections` is the total.
    Return the sum, with the largest p99. Raises VoidRun."""
    each = connections // len(urls)
    with ThreadPoolExecutor(len(urls)) as pool:
        runs = list(pool.map(lambda url, file: run(url, file, each, seconds), urls, requests))
    return Run(sum(done.per_second for done in runs), max(done.p99_ms for done in runs))


def run(url: str, requests: Path, connections: int, seconds: int) -> Run:
    """Send `requests` to `url` repeatedly for some seconds. Raises VoidRun.

    wrk inherits the CPU affinity of this process.
    """
    command = ["wrk", "--threads", "1", "--connections", str(connections)]
    command += ["--duration", f"{seconds}s", "--timeout", "10s", "--script", str(SCRIPT)]
    command += [url, "--", str(requests), TOKEN]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
    if done.returncode or not lines:
        raise VoidRun(f"wrk failed: {done.stderr or done.stdout}")
    result = json.loads(lines[-1].removeprefix(_MARK))
    if result["non_2xx"] or result["broken"] or not result["requests"]:
        raise VoidRun(
            f"{result['non_2xx']} of {result['requests']} responses were errors, "
            f"{result['broken']} connections broke or timed out"
        )
    per_second = result["requests"] / (result["microseconds"] / 1e6)
    return Run(per_second, result["p99_microseconds"] / 1e3)
