"""Each cache with a real agent that follows a real server."""

import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.caches.network import Machine
from tests.caches.node import Edge, Visitor, listed
from tests.caches.primary import NEAR_FRA, NEAR_IAD, PARIS, PLACES, put, set_topology
from tests.caches.programs.cache import Cache
from tests.caches.programs.envoy import Envoy
from tests.caches.programs.haproxy import HAProxy
from tests.caches.programs.nginx import Nginx
from tests.caches.programs.trafficserver import BY_PARENT, TrafficServer
from tests.caches.programs.varnish import Varnish, VarnishByTCC
from tests.process import Server

CACHES = (Nginx, HAProxy, Varnish, VarnishByTCC, TrafficServer, Envoy)
LOOK_NAMES_UP = (Nginx, HAProxy, Varnish)


@pytest.fixture(scope="module", params=CACHES, ids=lambda kind: str(kind.called()))
def fed(
    request: pytest.FixtureRequest,
    server: Server,
    machines: Mapping[str, Machine],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Edge, Cache]]:
    """An agent and its cache, which starts with the agent's files; the tests share them."""
    put(server, NEAR_IAD)
    with request.param(tmp_path_factory.mktemp("cache"), machines) as cache:
        cache.check_installed()
        cache.prepare()
        # Caches that resolve names reject a colo whose address does not resolve.
        unknown = ["--upstream", "{colo}.invalid:80"] if isinstance(cache, LOOK_NAMES_UP) else []
        args = ["--interval", "0.3", *unknown]
        edge = Edge(server, cache, tmp_path_factory.mktemp("edge"), args)
        with edge:
            edge.waits_for(lambda: edge.written(cache), "its files")
            cache.start()
            yield edge, cache


@pytest.fixture
def edge(fed: tuple[Edge, Cache]) -> Edge:
    return fed[0]


@pytest.fixture
def cache(fed: tuple[Edge, Cache], machines: Mapping[str, Machine]) -> Cache:
    """The cache, with every server up."""
    for machine in machines.values():
        machine.start()
    return fed[1]


def test_a_mapping_that_changes_reaches_the_cache_without_a_failed_request(
    server: Server, edge: Edge, cache: Cache, capsys: pytest.CaptureFixture[str]
) -> None:
    host = BY_PARENT if isinstance(cache, TrafficServer) else "example.com"
    cache.comes_to("IAD")
    took = []
    with Visitor(cache, host) as visitor:
        for place, colo in ((NEAR_FRA, "FRA"), (NEAR_IAD, "IAD")):
            edge.serves_all(server)
            time.sleep(1)  # so that each change is the first of a burst
            put(server, place)
            since = time.monotonic()
            cache.comes_to(colo)
            took.append(time.monotonic() - since)
        while visitor.asked <= 50:
            time.sleep(0.05)
    with capsys.disabled():
        times = ", ".join(f"{seconds:.2f} s" for seconds in took)
        said = f"{cache.called()}: {times}; {visitor.failed} of {visitor.asked} requests failed"
        sys.stdout.write(f"\n{said}\n")
    assert visitor.failed == 0
    edge.serves_all(server)
    assert listed(server, edge.name)["serves"] == f"{cache.format} in SIN"


def test_when_the_upper_tier_dies_the_fallback_answers(server: Server, cache: Cache) -> None:
    put(server, NEAR_FRA)
    cache.comes_to("FRA")
    cache.machines["FRA"].stop()
    cache.comes_to("IAD")


def test_a_poisoned_export_leaves_the_old_configuration_in_use(
    server: Server, edge: Edge, cache: Cache
) -> None:
    put(server, NEAR_IAD)
    edge.serves_all(server)
    cache.comes_to("IAD")
    before = {path: path.read_bytes() for path in cache.folder.glob("originmap.*")}
    try:
        set_topology(server, {**PLACES, "CDG": PARIS})
        edge.waits_for(lambda: listed(server, edge.name)["problem"], "a problem")
        put(server, NEAR_FRA)
        row = listed(server, edge.name)
        assert cache.format in row["problem"]
        assert row["applied"] < row["revision"]
        cache.comes_to("IAD")
        assert {path: path.read_bytes() for path in before} == before
    finally:
        set_topology(server, PLACES)
    cache.comes_to("FRA")
    edge.serves_all(server)


def test_only_the_files_of_the_format_remain(edge: Edge, cache: Cache) -> None:
    assert [
        path
        for path in Path(cache.folder).iterdir()
        if path.name.startswith(".o") and path.suffix != ".lock"
    ] == []
