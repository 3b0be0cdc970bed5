"""A hot URL of a load-balancing pool is fetched from the origin once, by its one upper tier."""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from originmap.domain.zone.pool import Pool
from originmap.export.endpoint import read
from originmap.export.formats import format_called
from tests.caches.network import free_port
from tests.caches.programs.cache import IP, ZONE, Cache
from tests.caches.programs.envoy import Envoy
from tests.caches.programs.nginx import Nginx
from tests.caches.programs.shared_haproxy import SharedHAProxy
from tests.caches.programs.trafficserver import BY_PARENT, TrafficServer
from tests.caches.programs.varnish import Varnish
from tests.caches.shared.crowd import Crowd
from tests.export.samples import COLOS, FRANKFURT, VIRGINIA, ZONES, export, node
from tests.waiting import PATIENCE_SECONDS

OTHER = "192.0.2.2"
POOL = (Pool("web", (IP, OTHER)),)
UPPER_TIERS = {"IAD": "127.0.1.1", "FRA": "127.0.2.1"}
EDGES = (Nginx, SharedHAProxy, Varnish, TrafficServer, Envoy)


class UpperTiers(Nginx):
    """Two upper tiers that store responses, in one process."""

    ports: Mapping[str, int]

    def prepare(self) -> None:
        (self.folder / "originmap.conf").touch()
        super().prepare()
        file = self.folder / "nginx.conf"
        head, _, _ = file.read_text().partition("    server {")
        cache = f"    proxy_cache_path {self.folder}/stored keys_zone=stored:1m;\n"
        file.write_text(f"{head}{cache}{''.join(map(self._upper_tier, UPPER_TIERS))}}}\n")
        (self.folder / "stored").mkdir()
        if os.getuid() == 0:
            (self.folder / "stored").chmod(0o777)

    def _upper_tier(self, code: str) -> str:
        return f"""
    server {{
        listen {UPPER_TIERS[code]}:{self.ports[code]};
        location / {{
            proxy_cache stored;
            proxy_cache_key {code}$host$request_uri;
            proxy_cache_valid 200 1h;
            proxy_cache_lock on;
            proxy_ignore_headers Cache-Control;
            add_header X-Upper-Tier {code};
            proxy_pass http://{self.origin.endpoint};
        }}
    }}
"""


@pytest.fixture(scope="module")
def crowd() -> Iterator[Crowd]:
    with Crowd({"origin": "127.0.3.1"}) as crowd:
        yield crowd


@pytest.fixture(scope="module")
def upper_tiers(
    crowd: Crowd, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, int]]:
    with UpperTiers(tmp_path_factory.mktemp("upper"), crowd) as cache:
        cache.ports = {code: free_port(host) for code, host in UPPER_TIERS.items()}
        cache.load({})
        yield cache.ports


@pytest.mark.parametrize("program", EDGES, ids=lambda edge: edge.called())
def test_a_hot_url_of_a_pool_is_fetched_once(
    program: type[Cache], crowd: Crowd, upper_tiers: Mapping[str, int], tmp_path: Path
) -> None:
    """The edge fills for one member of the pool, without a pool, and for the other member."""
    endpoints = read([f"{code}={UPPER_TIERS[code]}:{port}" for code, port in upper_tiers.items()])
    steps = (
        (POOL, VIRGINIA, FRANKFURT, "FRA"),
        ((), VIRGINIA, FRANKFURT, "IAD"),
        (POOL, FRANKFURT, VIRGINIA, "FRA"),
    )
    with program(tmp_path, crowd) as edge:
        for pools, mine, other, upper_tier in steps:
            of = node(
                zones=[replace(ZONES[0], pools=pools)], endpoints=endpoints,
                colos=[colo for colo in COLOS if colo.code != "NRT"],
                places=(VIRGINIA, FRANKFURT),
            )  # fmt: skip
            files = format_called(edge.format).all(of)
            origins = {ZONE: {IP: mine, OTHER: other}}
            edge.load({file.name: export(file, of, origins) for file in files})
            _ask(edge, upper_tier, f"/{edge.called()}")
    asked = [path for path in crowd["origin"].paths if path == f"/{edge.called()}"]
    assert len(asked) == 2  # once by FRA for both members, and once by IAD without the pool


def _ask(edge: Cache, upper_tier: str, url: str) -> None:
    """Request a URL through an upper tier, as soon as the edge fills from it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _through(edge, f"/ready-{deadline}") != upper_tier:
        assert time.monotonic() < deadline, edge.log()
        time.sleep(0.1)
    assert _through(edge, url) == upper_tier
    assert _through(edge, url) == upper_tier


def _through(edge: Cache, url: str) -> str:
    """The upper tier that answers a request; "" if there is none."""
    try:
        host = BY_PARENT if isinstance(edge, TrafficServer) else ZONE
        headers = {"host": host, **edge.headers}
        answer = httpx.get(edge.url + url, headers=headers, timeout=5, verify=False)
    except httpx.TransportError:
        return ""
    return answer.headers.get("x-upper-tier", "")
