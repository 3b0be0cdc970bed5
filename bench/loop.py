"""The case of the event loop: how long `/healthz` takes while ten callers ask a route for its
largest work, route by route.

The database has a zone with 250,000 changes and the most mappings, a topology of the most colos,
and latencies of them.
"""

import http.client
import json
import subprocess
import time
from pathlib import Path

from bench import dataset, load
from bench.dataset import ZONE, Request
from bench.figures import Figure, Figures
from bench.rounds import Bench
from bench.servers import HOST, ORIGINMAP, Server
from originmap import data
from originmap.domain.topology import MAX_COLOS

_CALLERS = 10
_CHANGES = 250_000
_OWN = "/originmap/v1"
_CLOUDFLARE = f"/client/v4/zones/{ZONE}/origin/cloud_regions"
_PAUSE_SECONDS = 0.002
_UPSTREAM = "upstream=%7Bcolo%7D.example.net:80"


def measure(bench: Bench) -> Figures:
    """The p99 of `/healthz` for each route, in one run each."""
    figures: Figures = {}
    with Server(ORIGINMAP, bench.work / "loop.db", bench.cores) as server:
        _fill(server)
        for name, request in _requests().items():
            p99, longest, asked = _measure(server, bench.work / "loop.txt", request, bench.seconds)
            figures[f"/healthz beside {name}", ORIGINMAP.name] = Figure(p99, "ms")
            print(f"  {name}: p99 {p99:.1f} ms, longest {longest:.1f} ms, {asked}", flush=True)
    return figures


def _fill(server: Server) -> None:
    """Ten full batches of the zone at a time, one region after another."""
    server.answer(Request("PUT", f"{_OWN}/topology", json.dumps(_topology(0))))
    server.answer(Request("PUT", f"{_OWN}/latencies", json.dumps(_latencies())))
    regions = [(r.vendor, r.name) for r in data.catalogue().regions()]
    for n in range(_CHANGES // 100):
        start = n * 100 % 3_500
        vendor, region = regions[n % len(regions)]
        items = [
            {"origin_ip": _ip(start + i), "vendor": vendor, "region": region} for i in range(100)
        ]
        server.answer(Request("PUT", f"{_CLOUDFLARE}/batch", json.dumps(items)))


def _ip(n: int) -> str:
    return f"198.18.{n // 250}.{n % 250}"


def _requests() -> dict[str, list[Request]]:
    topologies = [json.dumps(_topology(n)) for n in range(2)]
    ips = "&".join(f"ip={_ip(n * 35)}" for n in range(100))
    addresses = json.dumps({"addresses": [_ip(n) for n in range(1_000)]})
    envoy = json.dumps(
        {"node": {"metadata": {"originmap": {"upstream": ["{colo}.example.net:80"]}}}}
    )
    zone = f"{_OWN}/zones/{ZONE}"
    get = {
        "nothing": "/healthz",
        "resolve of 100": f"{zone}/resolve?{ips}",
        "resolve of a pool, explained": f"{zone}/resolve?pool=true&explain=true&{ips}",
        "mappings as of a revision": f"{zone}/mappings?at=10",
        "history": f"{zone}/history?limit=1000",
        "changes": f"{_OWN}/changes?since=10&limit=10000",
        "audit log": f"/client/v4/accounts/{ZONE}/audit_logs?per_page=1000&actor.ip=192.0.2.9",
        "latencies": f"{_OWN}/latencies",
        "topology": f"{_OWN}/topology",
        "snapshot": f"{_OWN}/snapshot",
        "metrics": "/metrics",
        "supported regions": f"{_CLOUDFLARE}/supported_regions",
        "export nginx": f"{_OWN}/export/nginx?{_UPSTREAM}",
        "export csv": f"{_OWN}/export/csv",
        "export mmdb": f"{_OWN}/export/mmdb",
    }
    sent = {
        "what-if": [Request("POST", f"{_OWN}/whatif", f'{{"topology":{t}}}') for t in topologies],
        "detect": [Request("POST", f"{_OWN}/detect", addresses)],
        "xDS routes": [Request("POST", "/v3/discovery:routes", envoy)],
        "rollback, tried": [Request("POST", f"{zone}/rollback", '{"to":10,"dry_run":true}')],
        "setting latencies": [Request("PUT", f"{_OWN}/latencies", json.dumps(_latencies()))],
        "setting a topology": [Request("PUT", f"{_OWN}/topology", t) for t in topologies],
    }
    return {name: [Request("GET", path)] for name, path in get.items()} | sent


def _topology(seed: int) -> dict[str, object]:
    colos = [
        {
            "code": f"C{n}",
            "city": "City",
            "country": "DE",
            "latitude": (n * 37 + seed) % 170 - 85,
            "longitude": (n * 91 + seed) % 350 - 175,
        }
        for n in range(MAX_COLOS)
    ]
    return {"colos": colos, "apart_km": 20_000, "fallbacks": 10}


def _latencies() -> list[dict[str, object]]:
    """As many as fit into a request."""
    on = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    regions = data.catalogue().regions()
    return [
        {
            "colo": f"C{n}",
            "vendor": r.vendor,
            "region": r.name,
            "milliseconds": n,
            "measured_on": on,
        }
        for n in range(150)
        for r in regions
    ]


def _measure(
    server: Server, file: Path, requests: list[Request], seconds: int
) -> tuple[float, float, str]:
    """The p99 and the longest time of `/healthz`, in ms, and what the callers were answered."""
    load.write_requests(requests, file)
    command = ["wrk", "--threads", "1", "--connections", str(_CALLERS), "--timeout", "30s"]
    command += [
        "--duration",
        f"{seconds}s",
        "--script",
        str(Path(__file__).with_name("replay.lua")),
    ]
    command += [server.url, "--", str(file), dataset.TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as callers:
        times = _healthz(server, seconds)
        out = callers.communicate()[0]
    line = next(line for line in out.splitlines() if line.startswith("RESULT "))
    found = json.loads(line.removeprefix("RESULT "))
    times.sort()
    p99 = times[len(times) * 99 // 100]
    return p99, times[-1], f"{found['requests']} answers, {found['non_2xx']} of them refusals"


def _healthz(server: Server, seconds: int) -> list[float]:
    times = []
    connection = http.client.HTTPConnection(HOST, server.port, timeout=30)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        started = time.perf_counter()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        times.append((time.perf_counter() - started) * 1_000)
        time.sleep(_PAUSE_SECONDS)
    connection.close()
    return times
