"""The event loop case: the latency of `/healthz` while ten clients send the most expensive requests
to a route, route by route.

The database has a zone with 250,000 changes and the maximum number of mappings, a topology with the
maximum number of colos, and latencies for them.
"""

import http.client
import json
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench.harness import dataset, load
from bench.harness.dataset import ZONE, Request
from bench.harness.figures import Figure, Figures
from bench.harness.rounds import Bench
from bench.harness.servers import HOST, ORIGINMAP, Failed, Server
from originmap import data
from originmap.domain.tier.topology_sizes import MAX_COLOS

_CALLERS = 10
_CHANGES = 250_000
_REVISIONS = (_CHANGES - 5_000, _CHANGES)
_OWN = "/originmap/v1"
_CLOUDFLARE = f"/client/v4/zones/{ZONE}/origin/cloud_regions"
_PAUSE_SECONDS = 0.002
_SECONDS, _LEAST, _MOST_SECONDS = 3, 300, 20
"""Seconds per route, the minimum of `/healthz` responses, and the maximum of seconds."""
_START_SECONDS = 0.3
_IDLE_SECONDS, _IDLE_SHARE, _IDLE_LIMIT_SECONDS = 0.2, 0.1, 60
"""A server is idle if it uses at most this share of a core for this number of seconds."""
_UPSTREAM = "upstream=%7Bcolo%7D.example.net:80"


def measure(bench: Bench) -> Figures:
    """The p50 and p99 of `/healthz` for each route, in one run each, and without other requests."""
    figures: Figures = {}
    with Server(ORIGINMAP, bench.work / "loop.db", bench.cores) as server:
        _fill(server)
        alone = _times(_healthz(server, _SECONDS, _LEAST))
        print(f"  nothing else: {alone}", flush=True)
        for name, requests in _requests().items():
            _wait_until_idle(server)
            file = load.write_requests(requests, bench.work / "loop.txt")
            found, answered = _beside(server, file)
            print(f"  {name}: {found}; {answered}", flush=True)
            figures[f"/healthz beside {name}, p50", ORIGINMAP.name] = Figure(found.p50, "ms")
            figures[f"/healthz beside {name}, p99", ORIGINMAP.name] = Figure(found.p99, "ms")
        figures["/healthz beside nothing, p50", ORIGINMAP.name] = Figure(alone.p50, "ms")
        figures["/healthz beside nothing, p99", ORIGINMAP.name] = Figure(alone.p99, "ms")
    return figures


@dataclass(frozen=True)
class _Times:
    """Percentiles of the response times in milliseconds, with their number."""

    answers: int
    p50: float
    p99: float
    longest: float

    def __str__(self) -> str:
        return (
            f"p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms, longest {self.longest:.1f} ms "
            f"of {self.answers}"
        )


def _times(found: list[float]) -> _Times:
    ordered = sorted(found)
    count = len(ordered)
    return _Times(count, ordered[count // 2], ordered[count * 99 // 100], ordered[-1])


def _wait_until_idle(server: Server) -> None:
    """Wait until the server has finished the abandoned requests of the previous route."""
    end = time.monotonic() + _IDLE_LIMIT_SECONDS
    used = server.cpu_seconds()
    while time.monotonic() < end:
        time.sleep(_IDLE_SECONDS)
        before, used = used, server.cpu_seconds()
        if used - before <= _IDLE_SECONDS * _IDLE_SHARE:
            return
    raise Failed(f"{server.name} is still busy after {_IDLE_LIMIT_SECONDS} s without a request")


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
        "resolve of 100": f"{zone}/resolve?{ips}",
        "resolve of a pool, explained": f"{zone}/resolve?pool=true&explain=true&{ips}",
        "resolve of 100, explained": f"{zone}/resolve?explain=true&{ips}",
        "mappings as of a revision": f"{zone}/mappings?at=10",
        "history": f"{zone}/history?limit=1000",
        "changes": f"{_OWN}/changes?since=10&limit=10000",
        "audit log": f"/client/v4/accounts/{ZONE}/audit_logs?per_page=1000&actor.ip=192.0.2.9",
        "latencies": f"{_OWN}/latencies",
        "topology": f"{_OWN}/topology",
        "snapshot": f"{_OWN}/snapshot",
        "digest": f"{_OWN}/digest",
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
        "rollback": [Request("POST", f"{zone}/rollback", f'{{"to":{n}}}') for n in _REVISIONS],
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
    """As many latencies as fit into a request."""
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


def _beside(server: Server, file: Path) -> tuple[_Times, str]:
    """The response times of `/healthz`, and the responses of the clients without unfinished
    requests.
    """
    command = ["wrk", "--threads", "1", "--connections", str(_CALLERS), "--timeout", "30s"]
    command += ["--duration", f"{_MOST_SECONDS}s"]
    command += ["--script", str(load.SCRIPT)]
    command += [server.url, "--", str(file), dataset.TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as callers:
        time.sleep(_START_SECONDS)
        times = _healthz(server, _SECONDS, _LEAST)
        callers.send_signal(signal.SIGINT)  # wrk prints its report and exits
        out = callers.communicate()[0]
    lines = [line for line in out.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise Failed(f"wrk printed no result: {out}")
    found = json.loads(lines[0].removeprefix("RESULT "))
    return _times(times), f"{found['requests']} answers, {found['non_2xx']} of them refusals"


def _healthz(server: Server, seconds: float, least: int) -> list[float]:
    """The duration of each request in milliseconds, for `seconds` and at least `least` requests."""
    times = list[float]()
    connection = http.client.HTTPConnection(HOST, server.port, timeout=30)
    started = time.monotonic()
    while (passed := time.monotonic() - started) < seconds or len(times) < least:
        if passed > _MOST_SECONDS - 2 * _START_SECONDS:
            break
        asked = time.perf_counter()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        times.append((time.perf_counter() - asked) * 1_000)
        time.sleep(_PAUSE_SECONDS)
    connection.close()
    return times
