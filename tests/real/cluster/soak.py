"""A long run: `make soak` takes an hour, `make soak MINUTES=5` five minutes.

A primary with a file and two replicas; ten writers at 20, 300 and 3,000 changes a second in turn;
streams, long polls (some abandoned), exports, snapshots and xDS polls. Every ten seconds it prints
memory and descriptors of each server, its revision, and the clients' counts. Exit status 1 if a
reader was reset, a replica made more than its first copy, a history differs, or descriptors or
memory grow.
"""

import argparse
import asyncio
import contextlib
import itertools
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tests.process import Server
from tests.real.cluster.fleet import Primary, Seed
from tests.real.server.wire import Answer, Connection, request

RATES = (20, 300, 3_000)
RATE_SECONDS = 20.0
WRITERS = 10
BATCH = 100
FAST = 300
"""Changes per second; above this rate they are written in batches."""
SAMPLE_SECONDS = 10.0
POLL_PAUSE, TAKE_PAUSE, STREAM_SECONDS = 0.25, 5.0, 10.0
SPARE_DESCRIPTORS = 8
WARM_UP = 1 / 3
"""The share of the run for the warm-up; then memory can grow by GROWTH_MIB and GROWTH_SHARE."""
GROWTH_MIB, GROWTH_SHARE = 16.0, 0.10
KEPT = ("--history-changes", "100000")
REGIONS = ("us-east-1", "us-west-2")
CHANGES = "/originmap/v1/changes"
XDS = "/v3/discovery:endpoints"


class Sample(NamedTuple):
    """A measurement of one process."""

    seconds: float
    memory: float  # memory of the process, in MiB
    mapped: float  # mapped files, which the system can reclaim
    descriptors: int


@dataclass
class Soak:
    """The counts and errors so far."""

    headers: dict[str, str]
    started: float = field(default_factory=time.monotonic)
    ended: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def count(self, name: str, more: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + more

    def break_invariant(self, text: str) -> None:
        if text not in self.broken:
            self.broken.append(text)
            print(f"BROKEN: {text}", flush=True)


def main(minutes: float) -> int:
    """Run the test; return the exit status."""
    Server.loaded = False
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        primary = Primary(Path(name), Seed(Path(name)))
        primary.server.stop()
        stack.enter_context(primary.start(*KEPT))
        replicas = [
            stack.enter_context(primary.replica(f"replica-{n}", None, *KEPT)) for n in (1, 2)
        ]
        soak = Soak({"Authorization": f"Bearer {primary.token}"})
        asyncio.run(run(primary, replicas, soak, minutes * 60))
    return told(soak)


async def run(primary: Primary, replicas: list[Server], soak: Soak, seconds: float) -> None:
    """Run all load until the time is over, then compare."""
    servers = {"primary": primary.server} | {
        f"replica {n}": replica for n, replica in enumerate(replicas, 1)
    }
    await until_loaded(servers, soak)
    sample(servers, soak)
    before = {name: samples[0].descriptors for name, samples in soak.samples.items()}
    work: list[Coroutine[None, None, None]] = [write(primary, soak, n) for n in range(WRITERS)]
    for url in (primary.url, replicas[0].url):
        work += [poll(url, soak) for _ in range(4)]
        work += [stream(url, soak) for _ in range(3)]
        work += [give_up(url, soak), *(take(url, soak, path) for path in TAKEN)]
        work.append(discover(url, soak))
    tasks = [asyncio.create_task(each, name=each.__qualname__) for each in work]
    while soak.seconds < seconds:
        await asyncio.sleep(min(SAMPLE_SECONDS, max(seconds - soak.seconds, 0)))
        show(sample(servers, soak), soak)
        for task in tasks:
            if task.done() and (error := task.exception()):
                soak.break_invariant(f"a client ({task.get_name()}) ended with {error!r}")
    soak.ended = True
    await asyncio.gather(*tasks, return_exceptions=True)
    check_memory(soak)  # before whole histories are read
    await compare(primary.url, [replica.url for replica in replicas], soak)
    await check_descriptors(servers, before, soak)
    check_logs(replicas, soak)


TAKEN = ("/originmap/v1/snapshot", "/originmap/v1/export/csv", "/originmap/v1/export/mmdb")


async def until_loaded(servers: dict[str, Server], soak: Soak) -> None:
    for server in servers.values():
        while (await ask(server.url, "GET", "/readyz", soak)).status != 200:
            await asyncio.sleep(0.1)


async def ask(url: str, method: str, path: str, soak: Soak, body: Any = None) -> Answer:
    """Send one request on a new connection."""
    async with Connection(url) as connection:
        return await connection.ask(method, path, body, soak.headers)


async def write(primary: Primary, soak: Soak, writer: int) -> None:
    """A tenth of the changes at the current rate, each to a different region than before."""
    path = primary.path("batch")
    async with Connection(primary.url) as connection:
        for count in itertools.count():
            rate = RATES[int(soak.seconds / RATE_SECONDS) % len(RATES)]
            at_once = BATCH if rate > FAST else 1
            began = time.monotonic()
            items = [
                {
                    "origin_ip": f"10.{writer}.{count % 3}.{n}",
                    "vendor": "aws",
                    "region": REGIONS[count // 3 % 2],
                }
                for n in range(at_once)
            ]
            answer = await connection.ask("PUT", path, items, soak.headers)
            assert answer.status == 200, answer
            soak.count("writes", at_once)
            if soak.ended:
                return
            pause = at_once * WRITERS / rate - (time.monotonic() - began)
            await asyncio.sleep(max(pause, 0))


async def poll(url: str, soak: Soak) -> None:
    """Follow with long polls; each revision must come once and in order."""
    async with Connection(url) as connection:
        now = (await connection.ask("GET", CHANGES, None, soak.headers)).result
        point, revision = f"{now['epoch']}-{now['revision']}", now["revision"]
        while not soak.ended:
            path = f"{CHANGES}?since={point}&wait=2&limit=5000&whole=true"
            delta = (await connection.ask("GET", path, None, soak.headers)).result
            soak.count("polls")
            if delta["reset"]:
                soak.break_invariant(f"a long poll got reset: {delta['reason']}")
            for change in delta["changes"]:
                revision += 1
                if change["revision"] != revision:
                    soak.break_invariant(f"a long poll got {change['revision']} after {revision}")
                    revision = change["revision"]
            point = f"{delta['epoch']}-{delta['revision']}"
            await asyncio.sleep(POLL_PAUSE)


async def stream(url: str, soak: Soak) -> None:
    """Follow with streams that are reopened repeatedly, each from the last event."""
    last = ""
    while not soak.ended:
        headers = {**soak.headers, "Accept": "text/event-stream"}
        headers |= {"Last-Event-ID": last} if last else {}
        soak.count("streams")
        async for event, id_ in events(url, headers, STREAM_SECONDS):
            last = id_
            if event == "reset":
                soak.break_invariant("a stream got reset")


async def events(
    url: str, headers: dict[str, str], seconds: float
) -> AsyncIterator[tuple[str, str]]:
    """Name and ID of each event, for some seconds."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 24)
    writer.write(request("GET", CHANGES, None, headers))
    id_ = ""
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while line := await reader.readline():
                    if line.startswith(b"id: "):
                        id_ = line[4:].strip().decode()
                    elif line.startswith(b"event: "):
                        yield line[7:].strip().decode(), id_
    finally:
        writer.close()


async def give_up(url: str, soak: Soak) -> None:
    """Start long polls and disconnect."""
    while not soak.ended:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(20):
                connection = await stack.enter_async_context(Connection(url))
                await connection.send(request("GET", f"{CHANGES}?wait=60", None, soak.headers))
                soak.count("given up")
        await asyncio.sleep(1)


async def take(url: str, soak: Soak, path: str) -> None:
    """Download a whole export or snapshot repeatedly."""
    while not soak.ended:
        async with Connection(url) as connection:
            headers = {**soak.headers, "Connection": "close"}
            await connection.send(request("GET", path, None, headers))
            body = await connection.ended()
        soak.count(path.rsplit("/", 1)[-1])
        if not body.startswith(b"HTTP/1.1 200") or not body.endswith(b"\r\n0\r\n\r\n"):
            soak.break_invariant(f"{path} was not whole: {body[:80]!r}")
        await asyncio.sleep(TAKE_PAUSE)


async def discover(url: str, soak: Soak) -> None:
    """Poll like Envoy."""
    node = {
        "locality": {"zone": "SIN"},
        "metadata": {"originmap": {"upstream": ["{colo}.example.net:80"]}},
    }
    while not soak.ended:
        async with Connection(url) as connection:
            headers = {**soak.headers, "Connection": "close"}
            await connection.send(request("POST", XDS, {"node": node}, headers))
            body = await connection.ended()
        soak.count("xDS")
        if not body.startswith(b"HTTP/1.1 200"):
            soak.break_invariant(f"{XDS}: {body[:200]!r}")
        await asyncio.sleep(TAKE_PAUSE)


def sample(servers: dict[str, Server], soak: Soak) -> dict[str, Sample]:
    """Measure each process."""
    found = {}
    for name, server in servers.items():
        process = Path("/proc") / str(server.process.pid)
        own, shared = (memory(process, kind) for kind in ("RssAnon", "RssFile"))
        descriptors = len(list((process / "fd").iterdir()))
        found[name] = Sample(soak.seconds, own, shared, descriptors)
        soak.samples.setdefault(name, []).append(found[name])
    return found


def memory(process: Path, kind: str) -> float:
    """A line of proc_pid_status(5), in MiB."""
    lines = (process / "status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{kind}:"))


def show(now: dict[str, Sample], soak: Soak) -> None:
    """Print a line."""
    shown = "  ".join(
        f"{name} {s.memory:5.1f} + {s.mapped:4.1f} MiB {s.descriptors:3} fd"
        for name, s in now.items()
    )
    counts = ", ".join(f"{number:,} {name}" for name, number in soak.counts.items())
    print(f"{soak.seconds:6.0f} s  {shown}  {counts}", flush=True)


async def compare(primary: str, replicas: list[str], soak: Soak) -> None:
    """Compare every change of a replica with the primary's."""
    reached = (await ask(primary, "GET", CHANGES, soak)).result["revision"]
    for url in replicas:
        deadline = time.monotonic() + 30
        while (await ask(url, "GET", CHANGES, soak)).result["revision"] < reached:
            if time.monotonic() > deadline:
                soak.break_invariant("a replica does not catch up")
                return
            await asyncio.sleep(0.2)
        since = max([await oldest(each, soak) for each in (primary, url)])
        first = since
        while since < reached:
            pages = [await changes(each, since, soak) for each in (primary, url)]
            if pages[0]["changes"] != pages[1]["changes"]:
                soak.break_invariant(f"the history of a replica differs after revision {since}")
                break
            since = pages[0]["revision"]
        print(f"history: {since - first:,} changes of {reached:,} compared", flush=True)


async def changes(url: str, since: int, soak: Soak) -> Any:
    """A page of changes."""
    path = f"{CHANGES}?since={since}&limit=10000&whole=true"
    return (await ask(url, "GET", path, soak)).result


async def oldest(url: str, soak: Soak) -> int:
    """The revision after which the server has the history."""
    delta = await changes(url, 0, soak)
    return int(delta["reason"].rsplit(" ", 1)[-1]) if delta["reset"] else 0


async def check_descriptors(servers: dict[str, Server], before: dict[str, int], soak: Soak) -> None:
    """Only the replicas are still connected."""
    deadline = time.monotonic() + 30
    while True:
        now = {name: s.descriptors for name, s in sample(servers, soak).items()}
        grown = [name for name in now if now[name] > before[name] + SPARE_DESCRIPTORS]
        if not grown:
            break
        if time.monotonic() > deadline:
            soak.break_invariant(f"descriptors grew from {before} to {now}")
            break
        await asyncio.sleep(0.5)
    print(f"descriptors before {before}, after {now}", flush=True)


def check_logs(replicas: list[Server], soak: Soak) -> None:
    """Each replica makes one copy, the first."""
    for replica in replicas:
        copies = replica.log.read_text().count("loaded a snapshot")
        if copies > 1:
            soak.break_invariant(f"a replica took {copies} full copies")


def check_memory(soak: Soak) -> None:
    """Memory does not grow after the warm-up."""
    for name, samples in soak.samples.items():
        warm = [s.memory for s in samples if s.seconds <= WARM_UP * soak.seconds]
        later = [s.memory for s in samples if s.seconds > WARM_UP * soak.seconds]
        most, end = max(warm, default=0.0), later[-1]
        allowed = most + max(GROWTH_MIB, GROWTH_SHARE * most)
        print(f"{name}: at most {most:.1f} MiB in the first third, {max(later):.1f} MiB afterwards")
        if end > allowed:
            soak.break_invariant(f"memory of the {name} grew from {most:.1f} to {end:.1f} MiB")


def told(soak: Soak) -> int:
    """Print the result; returns the exit status."""
    for text in soak.broken:
        print(f"BROKEN: {text}")
    print("FAILED" if soak.broken else "passed")
    return 1 if soak.broken else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main(parser.parse_args().minutes))
