"""Fixtures of the contract tests: one server per test file, whose zone is emptied before each test.

The tests of a file with `ALSO_BEHIND_PROXY` run a second time through `originmap proxy`.
"""

import os
from collections.abc import Iterator

import httpx
import pytest
from cloudflare import AsyncCloudflare, Cloudflare

from tests.clients.python_client import Client
from tests.process import BEARER, ZONE, Server
from tests.proxy.process import ProxyProcess


class BehindProxy:
    """A server whose clients use the proxy."""

    def __init__(self, api: str) -> None:
        self.api = api
        self.mappings = f"{api}/zones/{ZONE}/origin/cloud_regions"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" in metafunc.fixturenames and hasattr(metafunc.module, "ALSO_BEHIND_PROXY"):
        metafunc.parametrize("server", ["direct", "proxy"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server | BehindProxy]:
    """An `originmap dev` process shared by the tests of one file."""
    folder = tmp_path_factory.mktemp("server")
    with Server(str(folder / "dev.db"), folder) as server:
        if getattr(request, "param", "direct") == "direct":
            yield server
            return
        with ProxyProcess(server.api, folder) as proxy:
            yield BehindProxy(proxy.api)


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    """A plain client to prepare tests."""
    with httpx.Client(headers=BEARER) as http:
        yield http


@pytest.fixture
def emptied(server: Server, http: httpx.Client) -> Server:
    """The shared server with an empty zone."""
    while page := http.get(server.mappings, params={"per_page": 100}).json()["result"]:
        found = [entry["origin_ip"] for entry in page]
        http.request("DELETE", f"{server.mappings}/batch", json=found).raise_for_status()
    return server


@pytest.fixture(params=[Cloudflare, AsyncCloudflare], ids=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> type[Client]:
    """Each form of the official Python client."""
    return request.param


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients read CLOUDFLARE_* variables; those of a developer must not affect a test."""
    for name in [name for name in os.environ if name.startswith("CLOUDFLARE_")]:
        monkeypatch.delenv(name)
