"""Fixtures: a server, an API in front of it with faults of the test's choice, and the proxy."""

from collections.abc import Iterator

import httpx
import pytest

from tests import faulty
from tests.process import BEARER, Server
from tests.proxy.callers import PATH
from tests.proxy.process import ProxyProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(":memory:", tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def shared_api(server: Server) -> Iterator[faulty.Proxy]:
    with faulty.Proxy(server.url) as api:
        yield api


@pytest.fixture(scope="module")
def proxy(
    shared_api: faulty.Proxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProxyProcess]:
    with ProxyProcess(shared_api.api, tmp_path_factory.mktemp("proxy")) as proxy:
        yield proxy


@pytest.fixture
def direct(server: Server) -> Iterator[httpx.Client]:
    """A client of the server, without the proxy."""
    with httpx.Client(base_url=server.api, headers=BEARER) as http:
        yield http


@pytest.fixture
def api(
    shared_api: faulty.Proxy, proxy: ProxyProcess, direct: httpx.Client
) -> Iterator[faulty.Proxy]:
    """The API without faults or recorded requests; the zone and the proxy's cache are empty."""
    while found := [each["origin_ip"] for each in listed(direct)]:
        direct.request("DELETE", f"{PATH}/batch", json=found).raise_for_status()
    httpx.put(f"{proxy.api}{PATH}/batch", json=[], headers=BEARER)
    shared_api.seen.clear()
    yield shared_api
    shared_api.faults = lambda number, seen: None


def listed(direct: httpx.Client) -> list[dict[str, str]]:
    """The first 100 mappings."""
    return direct.get(PATH, params={"per_page": 100}).json()["result"]
