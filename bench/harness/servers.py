"""The servers under test: start, CPU affinity, measurement and stop.

Each server runs alone on one core; this process and the load generator run on another. If the
system has only one core, or no affinity calls, nothing is pinned and `Cores.note` says so.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from bench.harness.dataset import TOKEN, Request

_START_LIMIT_SECONDS = 30
_STOP_LIMIT_SECONDS = 30
HOST = "127.0.0.1"
_ROOT = Path(__file__).parents[2]


class Failed(Exception):
    """A server failed or gave an unexpected response; the benchmark cannot continue."""


@dataclass(frozen=True)
class Program:
    """A server that can be started: its name and its command for a database file and a port."""

    name: str
    command: Callable[[Path, int], list[str]]

    def missing(self) -> str | None:
        """The command that makes this program startable, or None."""
        executable = self.command(_ROOT, 0)[0]
        return None if Path(executable).exists() else f"{executable} is missing: make setup"


def _anchor(module: str) -> Callable[[Path, int], list[str]]:
    def command(db: Path, port: int) -> list[str]:
        return [sys.executable, "-m", module, "--db", str(db), "--port", str(port)]

    return command


AS_IN_PRODUCTION = ("--no-journal", "--no-fidelity")
"""Options that give a development server the same work per request as a production server."""


def _originmap(db: Path, port: int) -> list[str]:
    script = Path(sys.executable).with_name("originmap")
    return [str(script), "dev", "--db", str(db), "--port", str(port), *AS_IN_PRODUCTION]


def _for_tests(db: Path, port: int) -> list[str]:
    script = Path(sys.executable).with_name("originmap")
    return [str(script), "dev", "--db", str(db), "--port", str(port)]


ORIGINMAP = Program("originmap", _originmap)
FOR_TESTS = Program("originmap dev", _for_tests)
BARE_ASGI = Program("bare ASGI", _anchor("bench.anchors.bare_asgi"))
BARE_FALCON = Program("bare Falcon", _anchor("bench.anchors.bare_falcon"))
BARE_FANOUT = Program("bare fan-out", _anchor("bench.anchors.bare_fanout"))
USUAL_STACK = Program("usual stack", _anchor("bench.anchors.usual_stack"))
PROGRAMS = (ORIGINMAP, BARE_ASGI, BARE_FALCON, USUAL_STACK)


@dataclass(frozen=True)
class Cores:
    """The cores of the servers and of the load generator; None if processes are not pinned."""

    server: int | None
    load: int | None
    note: str
    servers: tuple[int, ...] = ()
    """Those of the servers if a case has several at a time: all but that of the load generator."""

    @classmethod
    def choose(cls) -> Self:
        """Use the first core for the servers and the last one for the load generator."""
        if not hasattr(os, "sched_setaffinity"):
            return cls(None, None, "not pinned: this system has no affinity calls")
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            return cls(None, None, "not pinned: one core only, server and load share it")
        first, last = cores[0], cores[-1]
        note = f"server on core {first}, load generator on core {last}"
        return cls(first, last, note, tuple(cores[:-1]))

    def take_load(self) -> None:
        """Move this process and its future children to the load generator's core."""
        if self.load is not None:
            os.sched_setaffinity(0, {self.load})

    @contextmanager
    def server_core(self, number: int = 0) -> Iterator[None]:
        """Move to the core of a server temporarily, so that a child started now stays there. If
        there are fewer cores than servers, some share one."""
        if self.server is not None:
            os.sched_setaffinity(0, {self.servers[number % len(self.servers)]})
        try:
            yield
        finally:
            self.take_load()

    @contextmanager
    def beside_servers(self, count: int) -> Iterator[None]:
        """Move temporarily to the cores that `count` servers leave, at least the load generator's,
        so that a child started now stays there."""
        if self.load is not None:
            os.sched_setaffinity(0, {*self.servers[count:], self.load})
        try:
            yield
        finally:
            self.take_load()

    @contextmanager
    def both_cores(self) -> Iterator[None]:
        """Use both cores temporarily: a child started now keeps them, such as a browser, which has
        many processes."""
        if self.server is not None and self.load is not None:
            os.sched_setaffinity(0, {self.server, self.load})
        try:
            yield
        finally:
            self.take_load()


class Server:
    """A running server. Its output goes to files beside its database."""

    def __init__(self, program: Program, db: Path, cores: Cores, number: int = 0) -> None:
        """Start the program, as the server with this number, and wait until it responds."""
        self.name = program.name
        self.port = _free_port()
        self._out: IO[bytes] = db.with_suffix(".log").open("ab")
        started = time.perf_counter()
        with cores.server_core(number):
            self._process = subprocess.Popen(
                program.command(db.resolve(), self.port),
                cwd=_ROOT,
                stdout=self._out,
                stderr=self._out,
            )
        self._wait()
        self.first_answer_ms = (time.perf_counter() - started) * 1e3

    @property
    def url(self) -> str:
        """The base URL for requests."""
        return f"http://{HOST}:{self.port}"

    @property
    def urls(self) -> list[str]:
        """The base URLs between which the load is divided."""
        return [self.url]

    def ask(self, request: Request) -> tuple[int, bytes]:
        """Send one request; return the status and the body of the response."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        try:
            connection.request(request.method, request.path, request.body or None, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def answer(self, request: Request) -> bytes:
        """The body of a successful response. Raises Failed for any other."""
        status, body = self.ask(request)
        if status != http.HTTPStatus.OK:
            raise Failed(f"{self.name}: {request.method} {request.path}: {body!r}")
        return body

    def answers(self) -> bool:
        """Whether the server responds."""
        try:
            return self.ask(Request("GET", "/healthz"))[0] == http.HTTPStatus.OK
        except OSError:
            return False

    def rss_mib(self) -> float:
        """Resident memory of the process."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def cpu_seconds(self) -> float:
        """CPU time that the process has used so far."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        # The name in brackets may contain blanks; user and system time are fields 14 and 15.
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """Stop the process with SIGTERM, and kill it if it does not exit."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"{self.name} did not stop on SIGTERM within {_STOP_LIMIT_SECONDS} s")
            self._process.kill()
            self._process.wait()
        self._out.close()

    def __enter__(self) -> Self:
        """The server, which already runs."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self.stop()

    def _wait(self) -> None:
        limit = time.monotonic() + _START_LIMIT_SECONDS
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > limit:
                self._process.kill()
                raise Failed(f"{self.name} did not start, see {self._out.name}")
            time.sleep(0.001)


class Fleet:
    """Servers of one program on one database, measured together."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = servers

    @property
    def urls(self) -> list[str]:
        """The base URLs between which the load is divided."""
        return [server.url for server in self._servers]

    def answer(self, request: Request) -> bytes:
        """The body of a successful response of one of the servers. Raises Failed for any other."""
        return self._servers[-1].answer(request)

    def cpu_seconds(self) -> float:
        """CPU time that all processes have used so far."""
        return sum(server.cpu_seconds() for server in self._servers)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
