"""Traffic Server with colos of several caches: parent.config, and requests from another one."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.asyncio_server import close
from tests.caches.programs.shared_trafficserver import SharedTrafficServer
from tests.caches.programs.trafficserver import BY_PARENT
from tests.caches.shared.crowd import Crowd
from tests.caches.shared.test_colos import FRA, HOSTS, IAD, MARKED, SOME, Site
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("cache")
    with Crowd(HOSTS) as crowd, SharedTrafficServer(folder, crowd) as cache:
        yield Site(crowd, cache)


def test_a_marked_request_from_another_traffic_server_goes_to_the_origin(site: Site) -> None:
    site.load("IAD")
    site.comes_to(*IAD)
    site.comes_to("origin", headers=MARKED)
    whole = [f"http://{site.cache.origin.endpoint}{path}" for path in SOME]
    assert set(site.owners(whole, MARKED).values()) == {"origin"}


def test_a_cache_with_another_address_than_its_machine_fills_from_the_origin(site: Site) -> None:
    some = SOME[:16]  # of which it owns a few, and each of these takes a second
    with Translation(site, "127.0.1.9") as translation:
        site.load("IAD", itself=translation.host)
        wait_until(lambda: {*site.owners(some).values()} == {*IAD, "origin"}, site.cache.log)
        assert translation.connections


def test_parent_config_assigns_urls_by_hash_and_falls_back(site: Site) -> None:
    site.load("SIN")
    wait_until(lambda: by_parent(site) == {*IAD}, site.cache.log)
    for name in IAD:
        site.crowd[name].stop()
    wait_until(lambda: by_parent(site) == {*FRA}, site.cache.log)


def by_parent(site: Site) -> set[str]:
    """The servers that answer requests by parent.config."""
    answers = site.crowd.ask(site.cache.port, SOME, BY_PARENT).values()
    return {answer.partition(" ")[0] for answer in answers}


class Translation:
    """Passes connections to the port of the cache on another address to the cache."""

    def __init__(self, site: Site, host: str) -> None:
        self.host = host
        self.connections = 0
        self._site = site

    def __enter__(self) -> "Translation":
        start = asyncio.start_server(self._serve, self.host, self._site.cache.port)
        self._server = self._site.crowd.run(start)
        return self

    def __exit__(self, *of: object) -> None:
        self._site.crowd.run(close(self._server))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        to = await asyncio.open_connection("127.0.0.1", self._site.cache.port)
        await asyncio.gather(_copy(reader, to[1]), _copy(to[0], writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
    except OSError:
        pass
    finally:
        writer.close()
