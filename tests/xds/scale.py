"""Many mappings and nodes: `make xds-scale` takes a minute, and prints what it measures.

A server with 30 full zones (105,000 mappings) and 100 nodes in ten colos: three Envoys, and clients
in this process. It prints the time until every node has everything, and that from the
acknowledgement of a change to the last node; exit status 1 if a change sends more than one resource
to a node, or a restart anything.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx

from originmap import data
from tests.caches.network import ADDRESSES, Machine, free_port
from tests.process import BEARER, TOKEN, Server
from tests.xds.node_client import NodeClient, described
from tests.xds.streaming_envoy import StreamingEnvoy

_COLOS = ("SIN", "FRA", "IAD", "LHR", "NRT", "SYD", "GRU", "JNB", "SEA", "AMS")
_REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-1", "us-west-2")
_BATCH = 100
_PER_ZONE = 3_500
_CHANGES = 20


class _Light(NodeClient):
    keeps = False
    patience = 600.0


async def fill(http: httpx.AsyncClient, zones: int) -> list[str]:
    """Create full zones; return their IDs."""
    account = (await http.get("/accounts")).json()["result"][0]["id"]
    ids = []
    for number in range(zones):
        body = {"name": f"zone-{number}.example", "account": {"id": account}}
        ids.append((await http.post("/zones", json=body)).raise_for_status().json()["result"]["id"])
        for first in range(0, _PER_ZONE, _BATCH):
            items = [
                {"origin_ip": f"10.{number}.{n >> 8}.{n & 255}", "vendor": "aws",
                 "region": _REGIONS[n % len(_REGIONS)]}
                for n in range(first, first + _BATCH)
            ]  # fmt: skip
            path = f"/zones/{ids[-1]}/origin/cloud_regions/batch"
            (await http.put(path, json=items)).raise_for_status()
    return ids


async def change(http: httpx.AsyncClient, zone: str, number: int, nodes: list[_Light]) -> float:
    """Seconds from the acknowledgement of a change to the last node."""
    for node in nodes:
        node.pushes.clear()
    place = {"vendor": "aws", "region": _REGIONS[(number + 1) % 2]}
    body = {"origin_ip": "10.0.0.0", **place}
    (await http.put(f"/zones/{zone}/origin/cloud_regions/10.0.0.0", json=body)).raise_for_status()
    began = time.monotonic()
    for node in nodes:
        await node.until(lambda node=node: node.pushes, "the change")
    took = time.monotonic() - began
    await asyncio.sleep(0.1)
    if any([len(p) for _, p, _ in node.pushes] != [1] for node in nodes):
        sys.exit("a change sent something else than one resource")
    return took


async def connected(
    stack: contextlib.AsyncExitStack, port: int, count: int, known: list[_Light]
) -> list[_Light]:
    """Nodes on connections of their own."""
    nodes = []
    for number in range(count):
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options)
        await stack.enter_async_context(channel)
        node = described(f"node-{number}", _COLOS[number % len(_COLOS)])
        light = _Light(channel, TOKEN, node, known[number] if known else None)
        nodes.append(await stack.enter_async_context(light))
    return nodes


def usage(server: Server) -> str:
    """The memory of the server now and at most, and its processor time so far."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    text = Path(f"/proc/{server.process.pid}/status").read_text()
    lines = dict(line.split(":", 1) for line in text.splitlines())
    now, most = (int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return f"server: {now:.0f} MiB now, {most:.0f} MiB at most, {seconds:.2f} s of processor time"


def sent(server: Server) -> int:
    """The resources that the server has sent to all nodes."""
    text = httpx.get(f"{server.url}/metrics").text
    name = "originmap_xds_resources_sent_total "
    return int(float(next(x for x in text.splitlines() if x.startswith(name)).split()[1]))


@contextlib.contextmanager
def running_envoys(folder: Path, server: Server, port: int, count: int) -> Iterator[None]:
    """Real Envoys in SIN."""
    with contextlib.ExitStack() as stack:
        machines = {name: Machine(name) for name in ADDRESSES}
        for machine in machines.values():
            stack.callback(machine.stop)
        for number in range(count):
            name = f"envoy-{number}"
            (folder / name).mkdir()
            envoy = StreamingEnvoy(folder / name, machines, server, port, name=name)
            envoy.more_upstreams = [f"{colo.code}=127.0.1.1:9" for colo in data.topology().colos]
            stack.enter_context(envoy)
            envoy.load({})
        yield


async def run(folder: Path, zones: int, count: int, envoys: int) -> None:
    """`count` nodes in this process, and some Envoys."""
    port = free_port()
    server = started(folder, port)
    try:
        with running_envoys(folder, server, port, envoys):
            nodes = await before_restart(server, port, zones, count, envoys)
            server.kill()
            server = started(folder, port)
            await after_restart(server, port, nodes, envoys)
    finally:
        server.stop()


def started(folder: Path, port: int) -> Server:
    Server.loaded = False
    args = ["--xds", f"127.0.0.1:{port}", "--no-log-requests"]
    return Server(str(folder / "dev.db"), folder, "dev", args)


async def before_restart(
    server: Server, port: int, zones: int, count: int, envoys: int
) -> list[_Light]:
    async with httpx.AsyncClient(base_url=server.api, headers=BEARER, timeout=60) as http:
        began = time.monotonic()
        ids = await fill(http, zones)
        told(server, f"{zones * _PER_ZONE:,} mappings in {zones} zones", began)
        await _applied(server, envoys)
        told(server, f"{envoys} Envoys complete", began)
        async with contextlib.AsyncExitStack() as stack:
            began = time.monotonic()
            nodes = await connected(stack, port, count, [])
            for node in nodes:
                await node.until(lambda node=node: len(node.hosts()) == zones + 1, "all zones")
            received = sum(n.received for n in nodes) / 1e6
            told(server, f"{count} nodes complete, {received:.0f} MB", began)
            before = sent(server)
            times = [await change(http, ids[0], n, nodes) for n in range(_CHANGES)]
            await _applied(server, count + envoys)
            # Fewer if an Envoy accepts a change only after the next one.
            if sent(server) - before > _CHANGES * (count + envoys):
                sys.exit(f"{_CHANGES} changes sent {sent(server) - before} resources")
            median, longest = statistics.median(times) * 1e3, max(times) * 1e3
            print(f"a change to the last node: p50 {median:.0f} ms, max {longest:.0f} ms")
    return nodes


async def after_restart(server: Server, port: int, nodes: list[_Light], envoys: int) -> None:
    async with contextlib.AsyncExitStack() as stack:
        began = time.monotonic()
        again = await connected(stack, port, len(nodes), nodes)
        await _applied(server, len(nodes) + envoys)
        told(server, "after a restart all are up to date", began)
        if sent(server) or any(node.pushes for node in again):
            sys.exit("a restart sent something that the nodes had")


def told(server: Server, what: str, began: float) -> None:
    print(f"{what}: {time.monotonic() - began:.1f} s; {usage(server)}", flush=True)


async def _applied(server: Server, count: int) -> None:
    """Wait until the server knows that every node is up to date."""
    async with httpx.AsyncClient(base_url=server.url, headers=BEARER, timeout=60) as http:
        while True:
            rows = (await http.get("/originmap/v1/followers")).json()["result"]
            if sum(row["applied"] is not None and not row["lag"] for row in rows) == count:
                return
            await asyncio.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zones", type=int, default=30)
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--envoys", type=int, default=3, help="how many of the nodes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(
            run(Path(folder), options.zones, options.nodes - options.envoys, options.envoys)
        )


if __name__ == "__main__":
    main()
