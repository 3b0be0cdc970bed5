"""Many mappings and nodes: `make xds-scale` takes a minute, and prints what it measures.

A server with 30 full zones (105,000 mappings) and 100 nodes in ten colos, which are clients in this
process. It prints the time until every node has everything, and that from the acknowledgement of a
change to the last node; exit status 1 if a change sends more than one resource to a node, or a
restart anything.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import grpc
import httpx

from tests.caches.network import free_port
from tests.process import BEARER, TOKEN, Server
from tests.xds.node_client import NodeClient, described

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


async def run(folder: Path, zones: int, count: int) -> None:
    port = free_port()
    args = ["--xds", f"127.0.0.1:{port}", "--no-log-requests"]
    db = str(folder / "dev.db")
    Server.loaded = False
    server = Server(db, folder, "dev", args)
    try:
        async with httpx.AsyncClient(base_url=server.api, headers=BEARER, timeout=60) as http:
            ids = await fill(http, zones)
            print(f"{zones * _PER_ZONE:,} mappings in {zones} zones; {usage(server)}", flush=True)
            async with contextlib.AsyncExitStack() as stack:
                began = time.monotonic()
                nodes = await connected(stack, port, count, [])
                for node in nodes:
                    await node.until(lambda node=node: len(node.hosts()) == zones + 1, "all zones")
                took, received = time.monotonic() - began, sum(n.received for n in nodes)
                print(f"{count} nodes complete after {took:.1f} s, {received / 1e6:.0f} MB;"
                      f" {usage(server)}", flush=True)  # fmt: skip
                times = [await change(http, ids[0], n, nodes) for n in range(_CHANGES)]
                print(f"a change to the last node: p50 {statistics.median(times) * 1e3:.0f} ms,"
                      f" max {max(times) * 1e3:.0f} ms; {usage(server)}", flush=True)  # fmt: skip
        server.kill()
        server = Server(db, folder, "dev", args)
        async with contextlib.AsyncExitStack() as stack:
            began = time.monotonic()
            again = await connected(stack, port, count, nodes)
            await _applied(server, count)
            sent = sum(len(node.pushes) for node in again)
            took = time.monotonic() - began
            print(f"after a restart all are up to date in {took:.1f} s; {sent} responses;"
                  f" {usage(server)}", flush=True)  # fmt: skip
            if sent:
                sys.exit("a restart sent something that the nodes had")
    finally:
        server.stop()


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
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder), options.zones, options.nodes))


if __name__ == "__main__":
    main()
