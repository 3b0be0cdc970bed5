"""Each cache sends a request where our export says, before and after it changed."""

from collections.abc import Iterator, Mapping

import httpx
import pytest

from tests.caches.cache import Cache
from tests.caches.envoy import Envoy
from tests.caches.haproxy import HAProxy
from tests.caches.network import Machine
from tests.caches.nginx import Nginx
from tests.caches.primary import NEAR_FRA, NEAR_IAD, put, remove
from tests.caches.trafficserver import TrafficServer
from tests.caches.varnish import Varnish
from tests.process import BEARER, Server

CACHES = (Nginx, HAProxy, Varnish, TrafficServer, Envoy)
FILES = {
    "haproxy": ("originmap.map", "originmap.cfg"),
    "trafficserver": ("parent.config", "strategies.yaml"),
    "envoy": ("cds.json", "rds.json"),
    "nginx": ("originmap.conf",),
    "varnish": ("originmap.vcl",),
}


@pytest.fixture(scope="module", params=CACHES, ids=lambda kind: str(kind.format))
def running(
    request: pytest.FixtureRequest,
    server: Server,
    machines: Mapping[str, Machine],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cache]:
    """A cache, started once for all tests of it."""
    with request.param(tmp_path_factory.mktemp("cache"), machines) as cache:
        yield cache


@pytest.fixture
def cache(running: Cache, machines: Mapping[str, Machine]) -> Cache:
    """The cache, with every machine up."""
    for machine in machines.values():
        machine.start()
    return running


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


def load(server: Server, cache: Cache, place: tuple[str, str], colo: str = "SIN") -> None:
    """Have the cache load what a node in `colo` loads when the origin is in `place`."""
    put(server, place)
    cache.load(exported(server, cache, colo))


def test_a_request_goes_to_the_upper_tier_of_its_origins_region(
    server: Server, cache: Cache
) -> None:
    load(server, cache, NEAR_IAD)
    cache.comes_to("IAD")


def test_after_the_mapping_changed_it_goes_to_the_other_one(server: Server, cache: Cache) -> None:
    load(server, cache, NEAR_FRA)
    cache.comes_to("FRA")
    load(server, cache, NEAR_IAD)
    cache.comes_to("IAD")


def test_when_the_upper_tier_dies_the_fallback_answers(server: Server, cache: Cache) -> None:
    load(server, cache, NEAR_FRA)
    cache.comes_to("FRA")
    cache.machines["FRA"].stop()
    cache.comes_to("IAD")


def test_a_node_that_is_the_upper_tier_asks_the_origin(server: Server, cache: Cache) -> None:
    load(server, cache, NEAR_IAD, colo="IAD")
    cache.comes_to("origin")


def test_an_origin_without_a_mapping_goes_to_the_upper_tier_nearest_to_the_node(
    server: Server, cache: Cache
) -> None:
    load(server, cache, NEAR_IAD)
    cache.comes_to("IAD")
    remove(server)
    cache.load(exported(server, cache, "SIN"))
    # Traffic Server knows zones only where an origin has a name.
    cache.comes_to("origin" if isinstance(cache, TrafficServer) else "FRA")
