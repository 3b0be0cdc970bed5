"""The catch-up case: a replica reads changes that it missed, and writes them to its own file.

It uses two histories: one with one change per request, the most expensive form, and one with
batches of 100. *Served* reads the responses and discards them. *Applied* is a whole replica: the
project's own follower with a SQLite file, as in `originmap serve --follow`.
"""

import asyncio
import contextlib
import gc
import http.client
import json
import re
import shutil
import statistics
import time
from pathlib import Path

import uvloop

from bench.harness import dataset, fill
from bench.harness.dataset import Request
from bench.harness.figures import Figure, Figures
from bench.harness.rounds import Bench
from bench.harness.servers import HOST, ORIGINMAP, Failed, Server
from originmap.bootstrap_server import calm_collector
from originmap.edge.follow.feed_client import FeedClient
from originmap.edge.follow.follower import Follower
from originmap.service.feed.replication import Replication
from originmap.store.clock import wall_clock
from originmap.store.sqlite.store import SqliteStore

ONE_BY_ONE = 1
IN_BATCHES = 100

_ZONES = 100
_MAPPINGS = 1_000
_CHANGES = "/originmap/v1/changes"
_PAGE = 5_000
_LOOK_SECONDS = 0.002
_LIMIT_SECONDS = 120
_REVISION = re.compile(rb'"revision":([0-9]+)')


def served(per_request: int) -> str:
    """The name of the case that only reads the changes."""
    return f"changes served, made {per_request} a request"


def applied(per_request: int) -> str:
    """The name of the case that reads and applies the changes."""
    return f"changes applied by a replica, made {per_request} a request"


def measure(bench: Bench) -> Figures:
    """Medians of the rounds, for both histories."""
    figures: Figures = {}
    for per_request in (ONE_BY_ONE, IN_BATCHES):
        ahead = bench.work / f"catchup-{per_request}.db"
        behind = bench.work / f"catchup-{per_request}-replica.db"
        fill.make_zones(ahead, _ZONES)
        since = asyncio.run(_copied(ahead, behind))
        fill.fill_zones(ahead, _ZONES, _MAPPINGS, per_request)
        with Server(ORIGINMAP, ahead, bench.cores) as server:
            for name, run in ((served(per_request), _serve), (applied(per_request), _follow)):
                rates = [run(server, behind, since) for _ in range(bench.rounds)]
                print(f"  {name}: {', '.join(f'{rate:,.0f}' for rate in rates)}", flush=True)
                figures[name, ORIGINMAP.name] = Figure(statistics.median(rates), "changes/s")
    return figures


async def _copied(source: Path, target: Path) -> int:
    """Make `target` a replica of the current state of `source`; return its revision."""
    original, copy = SqliteStore(source), SqliteStore(target)
    try:
        await copy.load(original.snapshot())
        return copy.revision
    finally:
        await original.close()
        await copy.close()


def _serve(server: Server, behind: Path, since: int) -> float:
    """Changes per second that the server sends to a client that discards them."""
    end, at, started = _reached(server), since, time.perf_counter()
    connection = http.client.HTTPConnection(HOST, server.port)
    headers = {"Authorization": f"Bearer {dataset.TOKEN}"}
    with contextlib.closing(connection):
        while at < end:
            query = f"since={at}&limit={_PAGE}&whole=true"
            connection.request("GET", f"{_CHANGES}?{query}", headers=headers)
            found = _REVISION.search(connection.getresponse().read())
            if found is None or int(found[1]) <= at:
                raise Failed(f"the server sent no changes after {at}")
            at = int(found[1])
    return (end - since) / (time.perf_counter() - started)


def _follow(server: Server, behind: Path, since: int) -> float:
    """Changes per second that are written to the replica's file."""
    file = behind.with_suffix(".run.db")
    for old in file.parent.glob(f"{file.name}*"):
        old.unlink()
    shutil.copy(behind, file)
    end, usual = _reached(server), gc.get_threshold()
    calm_collector()  # as `serve` does
    try:
        seconds = uvloop.run(_caught_up(server, file, end))
    finally:
        gc.unfreeze()
        gc.set_threshold(*usual)
    return (end - since) / seconds


async def _caught_up(server: Server, file: Path, end: int) -> float:
    """Follow until revision `end`; return the seconds that it took."""
    store, replication = SqliteStore(file), Replication(server.url, wall_clock)
    started = time.perf_counter()
    async with FeedClient(server.url, dataset.TOKEN, "bench") as client:
        following = asyncio.create_task(Follower(store, client, replication).run())
        try:
            while store.revision < end:
                if following.done() or time.perf_counter() - started > _LIMIT_SECONDS:
                    raise Failed(f"the replica stays at {store.revision}: {replication.error}")
                await asyncio.sleep(_LOOK_SECONDS)
            return time.perf_counter() - started
        finally:
            following.cancel()
            await store.close()


def _reached(server: Server) -> int:
    """The current revision of the server."""
    answer = json.loads(server.answer(Request("GET", _CHANGES)))
    revision: int = answer["result"]["revision"]
    return revision
