"""Colos with several caches: a real cache assigns each URL to one of them, in three upper-tier
caches and two fallbacks.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import httpx
import pytest

from originmap.domain.mapping.mapping import Place
from originmap.domain.tier import cache as caches
from originmap.domain.tier.cache import CacheState
from originmap.domain.tier.hash_key import HashKey
from originmap.domain.tier.rings.table import RINGS
from originmap.domain.tier.topology import Colo, GenericTier, HashPart
from originmap.export.endpoint import Endpoints
from originmap.export.formats import format_called
from tests.caches.programs.cache import IP, ZONE, Cache
from tests.caches.programs.haproxy import HAProxy
from tests.caches.programs.shared_envoy import SharedEnvoy, SharedEnvoyOwnClusters
from tests.caches.programs.shared_haproxy import SharedHAProxy
from tests.caches.programs.shared_nginx import SharedNginx
from tests.caches.programs.shared_trafficserver import SharedTrafficServer
from tests.caches.programs.shared_varnish import SharedVarnish
from tests.caches.shared.crowd import Crowd
from tests.export.samples import COLOS, NOWHERE, REGIONAL, VIRGINIA, ZONES, export, node
from tests.waiting import PATIENCE_SECONDS

CACHES = (SharedNginx, SharedHAProxy, SharedVarnish, SharedTrafficServer, SharedEnvoy)
HOSTS = {
    "iad-1": "127.0.1.1",
    "iad-2": "127.0.1.2",
    "iad-3": "127.0.1.3",
    "fra-1": "127.0.2.1",
    "fra-2": "127.0.2.2",
    "origin": "127.0.3.1",
}
WEIGHTS = {"iad-2": 2}
URLS = [
    f"/pictures/{number}?size={number % 7}" + "&lens=wide-angle" * (number % 3)
    for number in range(10_000)
]
SOME, MANY = URLS[:200], URLS[:2_000]
MAPPED = {IP: VIRGINIA}
DRAINING, DOWN = CacheState.DRAINING, CacheState.DOWN


@pytest.fixture(scope="module")
def crowd() -> Iterator[Crowd]:
    with Crowd(HOSTS) as crowd:
        yield crowd


@pytest.fixture(scope="module", params=CACHES, ids=lambda kind: str(kind.called()))
def cache(
    request: pytest.FixtureRequest, crowd: Crowd, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cache]:
    with request.param(tmp_path_factory.mktemp("cache"), crowd) as cache:
        yield cache


class Site:
    """A cache in a colo, and what it is asked."""

    def __init__(self, crowd: Crowd, cache: Cache) -> None:
        self.crowd = crowd
        self.cache = cache

    def load(
        self,
        colo: str = "SIN",
        origins: Mapping[str, Place] = MAPPED,
        hash_key: tuple[HashPart, ...] = tuple(HashPart),
        itself: str = "",
        *,
        regional: bool = False,
        **states: CacheState,
    ) -> None:
        """Have the cache use the export of a node with some caches in these states; with `itself`,
        the cache is one of IAD, at this address. Origins that are not mapped use the generic
        tier. With `regional`, FRA is the hub of Asia."""
        of = node(
            colo, zones=(REGIONAL if regional else ZONES)[:1],
            hubs={"asia": ("FRA",)} if regional else None, colos=self.colos(states, itself),
            endpoints=Endpoints(), places=(VIRGINIA,), generic=GenericTier.HASH,
        )  # fmt: skip
        of.hash_key = hash_key
        files = format_called(self.cache.format).all(of)
        self.cache.load({file.name: export(file, of, {ZONE: origins}) for file in files})

    def colos(self, states: Mapping[str, CacheState], itself: str = "") -> list[Colo]:
        members = {
            colo: tuple(
                caches.Cache(
                    name, member.host, member.port, WEIGHTS.get(name, 1),
                    states.get(name.replace("-", "_"), CacheState.ACTIVE),
                )
                for name, member in self.crowd.items()
                if name.startswith(colo.lower())
            )
            for colo in ("IAD", "FRA")
        }  # fmt: skip
        if itself:
            members["IAD"] += (caches.Cache("iad-self", itself, self.cache.port),)
        colos = [colo for colo in COLOS if colo.code != "NRT"]
        return [replace(colo, caches=members.get(colo.code, ())) for colo in colos]

    @cached_property
    def sharing(self) -> Sequence[caches.Cache]:
        """The caches of the upper tier."""
        (found,) = (colo.caches for colo in self.colos({}) if colo.code == "IAD")
        return found

    def owners(self, urls: list[str] = SOME, headers: str = "") -> dict[str, str]:
        """The name of the server that answers each URL."""
        answers = self.answers(urls, headers)
        return {url: answer.partition(" ")[0] for url, answer in answers.items()}

    def answers(self, urls: list[str] = SOME, headers: str = "") -> dict[str, str]:
        """The same, with the X-Originmap-Colo header that the server gets."""
        headers += "".join(f"{name}: {value}\r\n" for name, value in self.cache.headers.items())
        return self.crowd.ask(self.cache.port, urls, ZONE, headers)

    def comes_to(self, *names: str, headers: str = "") -> None:
        """Wait until only these servers answer."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := set(self.owners(headers=headers).values())) != set(names):
            assert time.monotonic() < deadline, (found, self.cache.log())
            time.sleep(0.1)


@pytest.fixture
def site(crowd: Crowd, cache: Cache) -> Site:
    crowd.start()
    return Site(crowd, cache)


def owner(site: Site, url: str) -> str:
    """The owner of a URL by our own code."""
    if isinstance(site.cache, SharedTrafficServer):
        return site.cache.owner(site.sharing, url)
    key = HashKey(ZONE.encode(), url.encode())
    found = RINGS[site.cache.format].owner(site.sharing, key)
    assert found is not None
    return found.name


MARKED = "X-Originmap-Colo: IAD\r\n"
IAD, FRA = ("iad-1", "iad-2", "iad-3"), ("fra-1", "fra-2")


@pytest.fixture(scope="module")
def spread(crowd: Crowd, cache: Cache) -> Mapping[str, str]:
    """The owner of each URL."""
    crowd.start()
    site = Site(crowd, cache)
    site.load()
    site.comes_to(*IAD)
    return site.owners(URLS)


def test_urls_are_spread_by_weight(spread: Mapping[str, str]) -> None:
    counts = Counter(spread.values())
    shares = {"iad-1": 2_500, "iad-2": 5_000, "iad-3": 2_500}
    assert counts.keys() == shares.keys()
    for name, share in shares.items():
        assert 0.9 * share <= counts[name] <= 1.1 * share, counts


def test_the_owner_of_every_url_is_reproduced(
    spread: Mapping[str, str], site: Site, cache: Cache
) -> None:
    assert {url: owner(site, url) for url in spread} == spread


def test_the_operators_own_clusters_of_envoy_choose_as_ours(crowd: Crowd, tmp_path: Path) -> None:
    crowd.start()
    with SharedEnvoyOwnClusters(tmp_path, crowd) as cache:
        site = Site(crowd, cache)
        site.load()
        site.comes_to(*IAD)
        assert site.owners() == {url: owner(site, url) for url in SOME}
        for name in IAD:
            crowd[name].stop()
        assert set(site.owners().values()) == set(FRA)


def test_a_draining_cache_loses_its_urls_and_no_other_moves(site: Site) -> None:
    site.load()
    site.comes_to(*IAD)
    before = site.owners(MANY)
    site.load(iad_3=DRAINING)
    site.comes_to("iad-1", "iad-2")
    after = site.owners(MANY)
    moved = {url for url in MANY if before[url] != after[url]}
    assert moved == {url for url in MANY if before[url] == "iad-3"}


def test_urls_that_differ_in_the_query_have_one_owner_if_the_hash_key_is_without_it(
    site: Site,
) -> None:
    site.load(hash_key=(HashPart.HOST, HashPart.PATH))
    urls = [f"/{path}?size={size}" for path in range(20) for size in range(10)]
    deadline = time.monotonic() + PATIENCE_SECONDS
    owners: set[tuple[str, str]] = set()
    while len(owners) != 20 or {name for _, name in owners} != set(IAD):
        assert time.monotonic() < deadline, owners
        answers = site.owners(urls).items()
        owners = {(url.partition("?")[0], name) for url, name in answers}


def test_no_request_fails_while_a_cache_is_drained_under_load(site: Site) -> None:
    site.load()
    site.comes_to(*IAD)
    loaded = threading.Event()

    def ask() -> set[str]:
        found = set[str]()
        while not loaded.is_set():
            found |= set(site.owners(SOME).values())
        return found

    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(ask)
        try:
            for turn in range(4):
                site.load(**({"iad_3": DRAINING} if turn % 2 == 0 else {}))
                time.sleep(0.2)
        finally:
            loaded.set()
        answers = asked.result() | set(site.owners(MANY[:500]).values())
    assert answers <= set(IAD)


def test_the_fallback_answers_by_hash_if_the_whole_colo_is_down(site: Site) -> None:
    site.load()
    site.comes_to(*IAD)
    for name in IAD:
        site.crowd[name].stop()
    site.comes_to(*FRA)
    owners = site.owners()
    assert set(owners.values()) == set(FRA)
    assert owners == site.owners()


def test_a_node_of_the_upper_tier_asks_the_sibling_that_owns_the_url(site: Site) -> None:
    site.load("SIN")
    site.comes_to(*IAD)
    before = site.owners()
    site.load("IAD")
    time.sleep(0.5)
    site.comes_to(*IAD)
    assert site.owners() == before


def test_a_request_that_was_sent_to_this_colo_goes_to_the_origin(site: Site) -> None:
    site.load("IAD")
    site.comes_to(*IAD)
    site.comes_to("origin", headers=MARKED)


def test_a_marked_request_goes_on_only_from_a_hub(site: Site) -> None:
    if isinstance(site.cache, SharedTrafficServer):
        pytest.skip("Traffic Server finds circles by Via")
    hub = "X-Originmap-Colo: hub\r\n"
    site.load("FRA", regional=True)
    site.comes_to(*IAD, headers=hub)
    site.comes_to("origin", headers=MARKED)
    site.load("SIN", regional=True)
    site.comes_to(*FRA)
    site.comes_to("origin", headers=MARKED)
    # HAProxy answers 508 to a request for which it would need another hub.
    refused = site.cache.format == "haproxy"
    site.comes_to("" if refused else "origin", headers=hub)


def test_haproxy_refuses_a_marked_request_if_its_frontend_lacks_our_lines(
    crowd: Crowd, tmp_path: Path
) -> None:
    crowd.start()
    with HAProxy(tmp_path, crowd) as cache:
        site = Site(crowd, cache)
        site.load("IAD")
        site.comes_to(*IAD)
        marked = httpx.get(cache.url, headers={"Host": ZONE, "X-Originmap-Colo": "IAD"})
        assert marked.status_code == 508


def test_a_node_of_the_upper_tier_fills_from_the_origin_if_no_sibling_answers(site: Site) -> None:
    site.load("IAD")
    site.comes_to(*IAD)
    for name in IAD:
        site.crowd[name].stop()
    site.comes_to("origin")


def test_all_caches_of_the_generic_pool_share_the_urls_of_origins_without_a_mapping(
    site: Site,
) -> None:
    site.load(origins={IP: NOWHERE})
    site.comes_to(*IAD, *FRA)
    before = site.owners()
    site.load("IAD", origins={IP: NOWHERE})
    site.comes_to("origin", headers="X-Originmap-Colo: generic\r\n")
    assert site.owners() == before


def test_requests_to_a_colo_carry_its_code_and_those_to_the_origin_do_not(site: Site) -> None:
    site.load("IAD")
    site.comes_to(*IAD)
    site.comes_to("origin", headers=MARKED)
    sent = {f"{name} iad" for name in IAD}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := set(site.answers().values())) != sent:  # a cache may be down after a start
        assert time.monotonic() < deadline, found
    assert set(site.answers(headers=MARKED).values()) == {"origin "}


def test_a_cache_that_owns_a_url_itself_fills_from_the_origin(site: Site) -> None:
    site.load("IAD", itself="127.0.0.1")
    site.comes_to(*IAD, "origin")
    assert "" not in site.owners(MANY).values()
