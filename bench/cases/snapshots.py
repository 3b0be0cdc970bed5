"""The snapshot case: a million mappings, sent by a server and loaded by a replica.

*Taken* reads the snapshot to its end and discards it. *Loaded* is the complete work of a new
replica, with the project's own client and a SQLite file. The sizes are those of the closed files,
after the write-ahead log was merged: the primary's with its history, the replica's without, because
a snapshot has none.
"""

import http.client
import statistics
import time
from pathlib import Path

import uvloop

from bench.harness import dataset, fill
from bench.harness.figures import Figure, Figures
from bench.harness.rounds import Bench
from bench.harness.servers import HOST, ORIGINMAP, Failed, Server
from originmap.edge.follow.feed_client import FeedClient
from originmap.store.sqlite.store import SqliteStore

TAKEN = "snapshot of 1 M mappings taken"
LOADED = "snapshot of 1 M mappings taken and loaded"
SIZE = "1 M mappings on disk"
SIZE_WITH_HISTORY = "1 M mappings on disk, with the history of 100 a request"

_ZONES = 1_000
_MAPPINGS = 1_000
_PER_REQUEST = 100
_PIECE = 1 << 16


def measure(bench: Bench) -> Figures:
    """Medians of the rounds; the sizes are the same every time."""
    source, replica = bench.work / "million.db", bench.work / "million-replica.db"
    fill.fill(source, _ZONES, _MAPPINGS, _PER_REQUEST)
    with_history = _mib(source)
    with Server(ORIGINMAP, source, bench.cores) as server:
        taken = [_take(server) for _ in range(bench.rounds)]
        loaded = [uvloop.run(_load(server, replica)) for _ in range(bench.rounds)]
    for name, seconds in ((TAKEN, taken), (LOADED, loaded)):
        print(f"  {name}: {', '.join(f'{each:.1f}' for each in seconds)} s", flush=True)
    return {
        (TAKEN, ORIGINMAP.name): Figure(statistics.median(taken), "s"),
        (LOADED, ORIGINMAP.name): Figure(statistics.median(loaded), "s"),
        (SIZE, ORIGINMAP.name): Figure(_mib(replica), "MiB"),
        (SIZE_WITH_HISTORY, ORIGINMAP.name): Figure(with_history, "MiB"),
    }


def _take(server: Server) -> float:
    """Seconds to receive the whole snapshot."""
    started, last = time.perf_counter(), b""
    connection = http.client.HTTPConnection(HOST, server.port)
    headers = {"Authorization": f"Bearer {dataset.TOKEN}"}
    connection.request("GET", "/originmap/v1/snapshot?whole=true", headers=headers)
    answer = connection.getresponse()
    while piece := answer.read(_PIECE):
        last = (last + piece)[-_PIECE:]
    connection.close()
    if b'{"end":true' not in last:
        raise Failed("the snapshot is incomplete")
    return time.perf_counter() - started


async def _load(server: Server, file: Path) -> float:
    """Seconds until a new replica has stored it."""
    for old in file.parent.glob(f"{file.name}*"):
        old.unlink()
    store, started = SqliteStore(file), time.perf_counter()
    try:
        async with FeedClient(server.url, dataset.TOKEN, "bench") as client:
            await store.load(client.snapshot())
        return time.perf_counter() - started
    finally:
        await store.close()


def _mib(file: Path) -> float:
    return file.stat().st_size / 2**20
