"""The scale case: from a write to the last of many nodes, by different ways.

The nodes are connections of one process (`bench.cases.listen`). *Direct* is the event stream of the
primary. With *one level* the nodes are spread over replicas that follow the primary, with *two
levels* over replicas that follow a replica. With *JetStream* a publisher writes to a NATS server,
in which each node has a consumer. The bare engines get a message of the same length without
Originmap. All servers share one core, so that levels show what a hop costs, not what they gain:
`bench.tree` computes that.
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

from bench.cases import fanout, watchers
from bench.cases.watchers import Redis, Write, redis_program, timed_writes
from bench.harness import dataset
from bench.harness.dataset import Request
from bench.harness.figures import Figure, Figures
from bench.harness.rounds import Bench
from bench.harness.servers import BARE_FANOUT, HOST, ORIGINMAP, Failed, Program, Server

DIRECT, ONE_LEVEL, TWO_LEVELS = "direct", "one level", "two levels"
JETSTREAM, BARE_JETSTREAM, BARE_NATS = "JetStream", "bare JetStream", "bare NATS"
FEW = 100
_WRITES = 60
_OF_REPLICA, _MOST_REPLICAS = 500, 4
"""Nodes of one replica, and replicas of one level, which also have more nodes."""
_WAIT_SECONDS = 30
_NATS_SERVER = Path(sys.executable).with_name("nats-server")


class Way(NamedTuple):
    """A way to the nodes: the writer's port, the nodes' ports, and the servers whose memory grows
    with the number of nodes. `kind` is a name in `fanout.KINDS`."""

    name: str
    kind: str
    port: int
    ports: list[int]
    servers: list[Server]


class _Nats(Server):
    """A NATS server."""

    def answers(self) -> bool:
        """Whether it accepts requests."""
        try:
            return b"PONG" in nats_request(self.port, "PING\r\n", b"PONG\r\n")
        except OSError:
            return False


def last(nodes: int) -> str:
    """The name of the case: milliseconds from the write's sending."""
    return f"write to last of {nodes:,} nodes"


def memory(nodes: int) -> str:
    """The name of the case: memory of all servers on the way for one node."""
    return f"memory per node with {nodes:,} nodes"


def measure(bench: Bench) -> Figures:
    """Measure all ways in turns, with few nodes and with each larger number."""
    figures: Figures = {}
    for nodes in dict.fromkeys((FEW, *bench.nodes)):
        figures |= measure_ways(bench, nodes)
    return figures


def measure_ways(bench: Bench, nodes: int) -> Figures:
    """Measure all ways in turns."""
    figures: Figures = {}
    with ExitStack() as stack:
        ways = _ways(stack, bench, nodes)
        taken: dict[str, list[Write]] = {way.name: [] for way in ways}
        grown: dict[str, list[float]] = {way.name: [] for way in ways}
        runs = itertools.count(1)  # each writes other regions, so that every write is a change
        for _ in range(bench.rounds):
            for way in ways:
                writes = _run(way, nodes, next(runs), grown[way.name])
                taken[way.name] += writes
                median = statistics.median(write.after_sending for write in writes)
                print(f"  {last(nodes)}: {way.name}: {median:.1f} ms", flush=True)
        for name, writes in taken.items():
            figures[last(nodes), name] = watchers.figure([w.after_sending for w in writes])
            figures[memory(nodes), name] = Figure(max(grown[name][0], 0.0), "KiB")
    return figures


def _run(way: Way, nodes: int, run: int, grown: list[float]) -> list[Write]:
    before = sum(server.rss_mib() for server in way.servers)

    def note() -> None:
        after = sum(server.rss_mib() for server in way.servers)
        grown.append((after - before) * 1024 / nodes)

    return timed_writes(way.kind, way.port, way.ports, nodes, run, _WRITES, note)


def _ways(stack: ExitStack, bench: Bench, nodes: int) -> list[Way]:
    replicas = min(max(nodes // _OF_REPLICA, 1), _MOST_REPLICAS)
    token = bench.work / "token"
    token.write_text(dataset.TOKEN)

    def start(program: Program, kind: type[Server] = Server) -> Server:
        name = f"{program.name.replace(' ', '-')}-{nodes}-{time.monotonic_ns()}"
        return stack.enter_context(kind(program, bench.work / f"{name}.db", bench.cores))

    def follow(server: Server) -> Server:
        replica = start(_replica(server.url, token))
        _wait_for(lambda: replica.ask(Request("GET", "/readyz"))[0] == 200, "a replica")
        return replica

    primary = start(ORIGINMAP)
    first = [follow(primary) for _ in range(replicas)]
    second = [follow(first[0]) for _ in range(replicas)]
    nats = start(Program("NATS", _nats_command), _Nats)
    stack.enter_context(_publisher(primary, nats, token))
    bare = start(BARE_FANOUT)
    ways = [
        Way(DIRECT, "events", primary.port, [primary.port], [primary]),
        Way(ONE_LEVEL, "events", primary.port, _ports(first), [primary, *first]),
        Way(TWO_LEVELS, "events", primary.port, _ports(second), [primary, first[0], *second]),
        Way(JETSTREAM, "jetstream", primary.port, [nats.port], [nats]),
        Way(BARE_JETSTREAM, "bare-jetstream", nats.port, [nats.port], [nats]),
        Way(BARE_NATS, "nats", nats.port, [nats.port], [nats]),
        Way(BARE_FANOUT.name, "events", bare.port, [bare.port], [bare]),
    ]
    if found := shutil.which("redis-server"):
        redis = start(redis_program(found), Redis)
        ways.append(Way(redis.name, "redis", redis.port, [redis.port], [redis]))
    return ways


def _ports(servers: Sequence[Server]) -> list[int]:
    return [server.port for server in servers]


def _replica(url: str, token: Path) -> Program:
    def command(db: Path, port: int) -> list[str]:
        script = Path(sys.executable).with_name("originmap")
        given = ["--follow", url, "--token-file", str(token), "--no-log-requests"]
        return [str(script), "serve", "--db", str(db), "--port", str(port), *given]

    return Program("replica", command)


def _nats_command(db: Path, port: int) -> list[str]:
    config = db.with_suffix(".conf")
    store = db.with_suffix(".nats")
    # Without a limit of its own, the stream of the bare engine would allow 1,000 consumers.
    jetstream = f'store_dir: "{store}", limits: {{ default_max_consumers: -1 }}'
    config.write_text(
        f'listen: "{HOST}:{port}"\njetstream {{ {jetstream} }}\nping_interval: "1h"\n'
    )
    return [str(_NATS_SERVER), "-c", str(config)]


@contextmanager
def _publisher(primary: Server, nats: Server, token: Path) -> Iterator[None]:
    """A publisher at work, and a stream for the bare engine."""
    script = Path(sys.executable).with_name("originmap")
    words = ["publish", "nats", "--follow", primary.url, "--token-file", str(token)]
    log = token.with_name(f"publisher-{primary.port}.log")
    with log.open("ab") as out:
        process = subprocess.Popen(
            [script, *words, "--servers", f"nats://{HOST}:{nats.port}"], stdout=out, stderr=out
        )
    try:
        _create(nats.port, fanout.BARE_STREAM)
        _wait_for(lambda: _has_messages(nats.port, fanout.STREAM), f"the publisher, see {log}")
        yield
    finally:
        process.terminate()
        process.wait(_WAIT_SECONDS)


def _create(port: int, stream: str) -> None:
    body = f'{{"name":"{stream}","subjects":["{stream}.>"],"max_msgs":1000,"discard":"old"}}'
    _api(port, f"STREAM.CREATE.{stream}", body)


def _has_messages(port: int, stream: str) -> bool:
    return b'"messages":1' in _api(port, f"STREAM.INFO.{stream}", "")


def _api(port: int, what: str, body: str) -> bytes:
    words = f"SUB _INBOX.api 1\r\nPUB $JS.API.{what} _INBOX.api {len(body)}\r\n{body}\r\n"
    return nats_request(port, words, b"}\r\n", after=b"MSG _INBOX.api")


def nats_request(port: int, words: str, end: bytes, after: bytes = b"") -> bytes:
    """Send words in the protocol of NATS; return everything up to `end`, once `after` has come."""
    with socket.create_connection((HOST, port), _WAIT_SECONDS) as sock:
        sock.sendall(b'CONNECT {"verbose":false}\r\n' + words.encode())
        answer = b""
        while not (answer.endswith(end) and after in answer and b"\r\n" in answer.strip()):
            piece = sock.recv(1 << 16)
            if not piece:
                raise Failed(f"the NATS server closed the connection: {answer!r}")
            answer += piece
    return answer


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"not ready after {_WAIT_SECONDS} s: {what}")
        time.sleep(0.05)
