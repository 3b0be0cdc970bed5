"""Fixtures of the contract tests: one server for a test file, its zone emptied before each test."""

import os
from collections.abc import Iterator

import httpx
import pytest
from cloudflare import AsyncCloudflare, Cloudflare

from tests.clients.python_client import Client
from tests.process import BEARER, Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An `originmap dev` process that the tests of one file share."""
    folder = tmp_path_factory.mktemp("server")
    with Server(str(folder / "dev.db"), folder) as server:
        yield server


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    """A plain client, to prepare tests."""
    with httpx.Client(headers=BEARER) as http:
        yield http


@pytest.fixture
def emptied(server: Server, http: httpx.Client) -> Server:
    """The shared server, without a mapping in its zone."""
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
    """The clients read CLOUDFLARE_* variables; a developer's own must not reach a test."""
    for name in [name for name in os.environ if name.startswith("CLOUDFLARE_")]:
        monkeypatch.delenv(name)
