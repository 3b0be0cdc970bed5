"""Each cache routes requests with our export. `test_edge` tests changes and fallbacks."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from tests.caches.network import Machine
from tests.caches.primary import NEAR_FRA, NEAR_IAD, put, remove, set_pool
from tests.caches.programs.cache import IP, ZONE, Cache
from tests.caches.programs.envoy import Envoy
from tests.caches.programs.haproxy import HAProxy
from tests.caches.programs.nginx import Nginx
from tests.caches.programs.trafficserver import TrafficServer
from tests.caches.programs.varnish import Varnish, VarnishByTCC
from tests.process import BEARER, Server

CACHES = (Nginx, HAProxy, Varnish, VarnishByTCC, TrafficServer, Envoy)
FILES = {
    "haproxy": ("originmap.map", "originmap.cfg"),
    "trafficserver": ("parent.config", "strategies.yaml"),
    "envoy": ("cds.json", "rds.json"),
    "nginx": ("originmap.conf",),
    "varnish": ("originmap.vcl",),
}


@pytest.fixture(params=CACHES, ids=lambda kind: str(kind.called()))
def cache(
    request: pytest.FixtureRequest, machines: Mapping[str, Machine], tmp_path: Path
) -> Iterator[Cache]:
    """A cache that has not started yet, with every server up."""
    for machine in machines.values():
        machine.start()
    with request.param(tmp_path, machines) as cache:
        yield cache


def exported(server: Server, cache: Cache, colo: str) -> dict[str, bytes]:
    """The files for a node in a colo."""
    upstreams = [("upstream", f"{c}={cache.machines[c].endpoint}") for c in ("IAD", "FRA")]
    files = {}
    for name in FILES[cache.format]:
        answer = httpx.get(
            f"{server.url}/originmap/v1/export/{cache.format}",
            params=[("colo", colo), ("file", name), *upstreams],
            headers=BEARER,
        )
        files[name] = answer.raise_for_status().content
    return files


def test_a_request_goes_to_the_upper_tier_of_its_origins_region(
    server: Server, cache: Cache
) -> None:
    put(server, NEAR_IAD)
    cache.load(exported(server, cache, "SIN"))
    cache.comes_to("IAD")


def test_a_member_of_a_pool_goes_to_the_upper_tier_of_its_pool(
    server: Server, cache: Cache
) -> None:
    """Two of three members are in another region than the origin."""
    others = ("192.0.2.201", "192.0.2.202")
    put(server, NEAR_FRA)
    for other in others:
        put(server, NEAR_IAD, other)
    set_pool(server, IP, *others)
    cache.load(exported(server, cache, "SIN"))
    cache.comes_to("IAD")
    set_pool(server)
    cache.load(exported(server, cache, "SIN"))
    cache.comes_to("FRA")


def test_a_node_that_is_the_upper_tier_fills_from_the_origin(server: Server, cache: Cache) -> None:
    put(server, NEAR_IAD)
    cache.load(exported(server, cache, "IAD"))
    cache.comes_to("origin")


def test_an_origin_without_a_mapping_goes_to_the_upper_tier_nearest_to_the_node(
    server: Server, cache: Cache
) -> None:
    put(server, NEAR_IAD)
    cache.load(exported(server, cache, "SIN"))
    cache.comes_to("IAD")
    remove(server)
    cache.load(exported(server, cache, "SIN"))
    # Traffic Server knows zones only if an origin has a name.
    cache.comes_to("origin" if isinstance(cache, TrafficServer) else "FRA")


def test_without_a_reachable_upper_tier_only_traffic_server_fills_from_the_origin(
    server: Server, cache: Cache
) -> None:
    put(server, NEAR_IAD)
    cache.load(exported(server, cache, "SIN"))
    cache.comes_to("IAD")
    cache.machines["IAD"].stop()
    cache.machines["FRA"].stop()
    if isinstance(cache, TrafficServer):
        cache.comes_to("origin")
        return
    cache.comes_to("")
    time.sleep(0.5)  # after one or two probes
    assert cache.answer(ZONE) == ""
