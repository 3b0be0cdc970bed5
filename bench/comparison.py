"""Compares another version of Originmap with this one: requests per CPU second, in turns.

The other version is exported from git into a temporary folder and runs on the same interpreter and
packages. Its requests are those of `cases.throughput` and two further kinds. It also measures the
duration of a command next to a running server.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.harness import dataset
from bench.harness.dataset import Request
from bench.harness.rounds import Bench, Subject
from bench.harness.servers import AS_IN_PRODUCTION, Failed, Program, Server

_ROOT = Path(__file__).parents[1]
_COMMAND = "command"
_COMMANDS_PER_ROUND = 10


def _delete() -> list[Request]:
    """Delete each mapping of the zone, a while after the previous batch created it again. The load
    generator discards the first request.
    """
    puts = dataset.fill()
    deletes = [[_delete_of(item) for item in json.loads(put.body)] for put in puts]
    found = [dataset.list_pages()[0], puts[0]]
    for put, part in zip([*puts[1:], puts[0]], deletes, strict=True):
        found += [put, *part]
    return found


def _delete_of(item: dict[str, str]) -> Request:
    return Request("DELETE", f"{dataset.mappings_path()}/{item['origin_ip']}")


def _resolve() -> list[Request]:
    path = f"/originmap/v1/zones/{dataset.ZONE}/resolve?ip="
    return [Request("GET", path + dataset.address(at)) for at in range(dataset.ZONE_SIZE)]


_CASES: dict[str, Callable[[int], list[Request]]] = {
    "get": lambda run: dataset.get_one(),
    "put": dataset.put_one,
    "batch": dataset.put_batch,
    "list": lambda run: dataset.list_pages(),
    "resolve": lambda run: _resolve(),
    "delete": lambda run: _delete(),
}


def measure(bench: Bench, revision: str, only: str | None = None) -> str:
    """The table of rates and ratios, and the times of a command. Raises Failed if `revision` is not
    a revision of git.
    """
    lines = [f"before: {_commit(revision)}"]
    with _checked_out(revision, bench.work / "before") as before, ExitStack() as stack:
        trees = {"before": before, "now": _ROOT}
        servers = [
            stack.enter_context(Server(program, bench.database(program), bench.cores))
            for program in (_version(name, tree) for name, tree in trees.items())
        ]
        for server in servers:
            for request in dataset.fill():
                server.answer(request)
        if only != _COMMAND:
            lines += _table(bench, servers, _CASES if only is None else [only])
        if only in (None, _COMMAND):
            lines += _command_times(bench, trees)
    return "\n".join(lines)


def _table(bench: Bench, servers: Sequence[Server], names: Iterable[str]) -> Iterator[str]:
    yield from ("", "Requests per CPU second:", "")
    yield from ("| case | before | now | ratio |", "|---|---|---|---|")
    for name in names:
        rates = _rates(bench, name, servers)
        if len(rates) == len(servers):
            before, now = rates["before"], rates["now"]
            yield f"| {name} | {before:,.0f} | {now:,.0f} | {now / before:.2f} |"


def _rates(bench: Bench, name: str, servers: Sequence[Server]) -> dict[str, float]:
    """Requests per CPU second by server: the median of the rounds."""
    subjects = [Subject(server.name, server, _CASES[name]) for server in servers]
    return {
        server: statistics.median(sample.run.per_second / sample.busy for sample in samples)
        for server, samples in bench.run(name, subjects).items()
    }


def _command_times(bench: Bench, trees: Mapping[str, Path]) -> list[str]:
    """The median time of a command beside each version's running server."""
    times: dict[str, list[float]] = {name: [] for name in trees}
    # The run before the measured ones compiles the modules that a server does not import.
    for at in range(bench.rounds * _COMMANDS_PER_ROUND + 1):
        for name, tree in trees.items():
            db = bench.database(_version(name, tree))
            command = [*_originmap(tree), "zone", "list", "--db", str(db)]
            began = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            if at:
                times[name].append((time.perf_counter() - began) * 1000)
    shown = ", ".join(f"{name} {statistics.median(each):.0f} ms" for name, each in times.items())
    return ["", f"`originmap zone list` beside a running server: {shown}"]


def _version(name: str, tree: Path) -> Program:
    options = AS_IN_PRODUCTION if (tree / "src/originmap/dev").exists() else ()
    start = [*_originmap(tree), "dev", *options]
    return Program(name, lambda db, port: [*start, "--db", str(db), "--port", str(port)])


def _originmap(tree: Path) -> list[str]:
    return ["env", f"PYTHONPATH={tree / 'src'}", sys.executable, "-m", "originmap"]


@contextmanager
def _checked_out(revision: str, tree: Path) -> Iterator[Path]:
    """The files of a revision, in a temporary folder."""
    _git("worktree", "add", "--force", "--detach", str(tree), _commit(revision))
    try:
        yield tree
    finally:
        _git("worktree", "remove", "--force", str(tree))


def _commit(revision: str) -> str:
    return _git("rev-parse", "--short", "--verify", f"{revision}^{{commit}}").strip()


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(_ROOT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


CASES = (*_CASES, _COMMAND)
