"""The stream case: the time from a durable write until the last of many watchers has received it.

One writer writes, waits until every watcher has the event, and writes again. The watchers are
connections of one process (`bench.cases.listen`) on the load generator's core. If Redis is
installed, it publishes a message of the same length to as many subscribers. The bare fan-out shows
how much of the time the system and the reading take.
"""

import itertools
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.cases import fanout, listen
from bench.cases.fanout import Kind
from bench.harness.figures import Figure, Figures
from bench.harness.rounds import Bench
from bench.harness.servers import BARE_FANOUT, HOST, ORIGINMAP, Cores, Failed, Program, Server

_COUNTS = (100, 1_000)
_WRITES = 150
_WARM_UP = 20
_PIECE = 1 << 16
_TIMEOUT_SECONDS = 30
_REDIS = "redis-server"


class Write(NamedTuple):
    """Milliseconds from the response to the write, and from its request, until the last watcher had
    the event, and milliseconds of CPU time for reading.
    """

    after_answer: float
    after_sending: float
    reading: float


class _Subject(NamedTuple):
    """A running server with its protocol; `kind` is its name in `fanout.KINDS`."""

    server: Server
    kind: str


class Redis(Server):
    """A Redis server without persistence."""

    def answers(self) -> bool:
        """Whether it responds to PING."""
        try:
            with socket.create_connection((HOST, self.port), 5) as sock:
                sock.sendall(b"PING\r\n")
                return sock.recv(_PIECE).startswith(b"+PONG")
        except OSError:
            return False


def after_answer(watchers: int) -> str:
    """The name of the case with a goal."""
    return f"last of {watchers:,} watchers, after the write's answer"


def after_sending(watchers: int) -> str:
    """The name of the case that includes the write itself."""
    return f"last of {watchers:,} watchers, after the write was sent"


def reading(watchers: int) -> str:
    """The name of the case for the CPU time of the benchmark itself."""
    return f"reading by {watchers:,} watchers, processor time"


_CASES = (after_answer, after_sending, reading)


def measure(bench: Bench) -> Figures:
    """Start the servers, and measure them in turns with each number of watchers."""
    figures: Figures = {}
    runs = itertools.count(1)
    with ExitStack() as stack:
        subjects = _subjects(stack, bench)
        for watchers in _COUNTS:
            taken: dict[str, list[Write]] = {each.server.name: [] for each in subjects}
            for at in range(bench.rounds):
                run = next(runs)
                for each in subjects:
                    writes = _run(each, watchers, run)
                    taken[each.server.name] += writes
                    _progress(
                        f"{watchers:,} watchers: round {at + 1} of {bench.rounds}", each, writes
                    )
            for name, all_writes in taken.items():
                for case, times in zip(_CASES, zip(*all_writes, strict=True), strict=True):
                    figures[case(watchers), name] = figure(times)
    return figures


def _progress(what: str, subject: _Subject, writes: Sequence[Write]) -> None:
    median = statistics.median(write.after_answer for write in writes)
    print(f"  {what}: {subject.server.name}: {median:.1f} ms", flush=True)


def _subjects(stack: ExitStack, bench: Bench) -> list[_Subject]:
    def start(make: Callable[[Program, Path, Cores], Server], program: Program) -> Server:
        db = bench.work / f"watchers-{program.name.replace(' ', '-')}.db"
        return stack.enter_context(make(program, db, bench.cores))

    subjects = [_Subject(start(Server, program), "events") for program in (ORIGINMAP, BARE_FANOUT)]
    if found := shutil.which(_REDIS):
        subjects.append(_Subject(start(Redis, redis_program(found)), "redis"))
    else:
        print("left out: Redis is not installed: apt-get install redis-server", flush=True)
    return subjects


def redis_program(executable: str) -> Program:
    """Redis without persistence."""

    def command(db: Path, port: int) -> list[str]:
        keep_nothing = ["--save", "", "--appendonly", "no", "--dir", str(db.parent)]
        return [executable, "--port", str(port), "--bind", HOST, *keep_nothing]

    return Program("Redis", command)


def _run(subject: _Subject, watchers: int, run: int) -> list[Write]:
    return timed_writes(subject.kind, subject.server.port, [subject.server.port], watchers, run)


def timed_writes(
    kind: str,
    port: int,
    ports: Sequence[int],
    watchers: int,
    run: int,
    count: int = _WRITES,
    while_watching: Callable[[], None] = lambda: None,
) -> list[Write]:
    """Write `count` times to `port`, with the watchers spread over `ports`, after a warm-up.
    `while_watching` is called at the end, while the watchers are connected."""
    writes = []
    with _reader(kind, ports, watchers) as arrival, _writer(port) as sock:
        used_before = 0
        for number in range(_WARM_UP + count):
            sent = time.monotonic_ns()
            answered = _write(sock, fanout.KINDS[kind], number, run)
            arrived, used = arrival()
            times = (arrived - answered, arrived - sent, used - used_before)
            writes.append(Write(*(nanoseconds / 1e6 for nanoseconds in times)))
            used_before = used
        while_watching()
    return writes[_WARM_UP:]


def _writer(port: int) -> socket.socket:
    sock = socket.create_connection((HOST, port), _TIMEOUT_SECONDS)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _write(sock: socket.socket, kind: Kind, number: int, run: int) -> int:
    """Write a mapping; return the time of the response."""
    sock.sendall(kind.write(number, run))
    answer = b""
    while not kind.answered(answer):
        piece = sock.recv(_PIECE)
        if not piece or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5")):
            raise Failed(f"unexpected response to a write: {answer!r}")
        answer += piece
    return time.monotonic_ns()


@contextmanager
def _reader(kind: str, ports: Sequence[int], watchers: int) -> Iterator[Callable[[], list[int]]]:
    """The watchers. The returned function waits until all of them have the next event, and returns
    the time and the CPU time used so far (`bench.cases.listen`).
    """
    arguments = ["--kind", kind, "--watchers", str(watchers)]
    arguments += [word for port in ports for word in ("--port", str(port))]
    process = subprocess.Popen(
        [sys.executable, "-m", listen.__name__, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    out = process.stdout

    def line() -> str:
        if not (text := out.readline().strip()):
            raise Failed("the watchers did not receive a written event")
        return text

    try:
        if line() != listen.READY:
            raise Failed("the watchers could not connect")
        yield lambda: [int(each) for each in line().split()]
    finally:
        process.stdin.close()
        process.wait(_TIMEOUT_SECONDS)
        out.close()


def figure(milliseconds: Sequence[float]) -> Figure:
    """The median and the 99th percentile."""
    p99 = statistics.quantiles(milliseconds, n=100)[-1]
    return Figure(statistics.median(milliseconds), "ms", p99_ms=p99)
