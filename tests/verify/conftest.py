"""One server for all checks, with a zone for each purpose."""

from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest

from tests.process import BEARER, Server


class Zones(NamedTuple):
    """A server, and two of its zones: with Tiered Cache on and off."""

    url: str
    on: str
    off: str

    @property
    def api(self) -> str:
        return f"{self.url}/client/v4"


@pytest.fixture(scope="session")
def zones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zones]:
    folder = tmp_path_factory.mktemp("verify")
    args = ("--rate-limit", "100000/300")
    with Server(":memory:", folder, args=args) as server:
        on, off = new_zone(server.api, "on.example"), new_zone(server.api, "off.example")
        tiered = f"{server.api}/zones/{off}/argo/tiered_caching"
        assert httpx.patch(tiered, json={"value": "off"}, headers=BEARER).status_code == 200
        yield Zones(server.url, on, off)


def new_zone(api: str, name: str) -> str:
    """The ID of a new zone."""
    account = httpx.get(f"{api}/accounts", headers=BEARER).json()["result"][0]["id"]
    body = {"name": name, "account": {"id": account}}
    answer = httpx.post(f"{api}/zones", json=body, headers=BEARER)
    return str(answer.json()["result"]["id"])
