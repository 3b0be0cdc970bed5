"""Clients of the development server."""

import contextlib
from collections.abc import Iterator

import cloudflare
import httpx
import pytest

from originmap.testing import Server

AWS = {"vendor": "aws", "region": "us-east-1"}


class Zone:
    """The mappings of the server's zone, by plain HTTP."""

    def __init__(self, server: Server) -> None:
        headers = {"Authorization": f"Bearer {server.token}"}
        self.path = f"/zones/{server.zone_id}/origin/cloud_regions"
        self.http = httpx.Client(base_url=server.base_url, headers=headers)

    def put(self, ip: str, **members: object) -> httpx.Response:
        return self.http.put(f"{self.path}/{ip}", json={"origin_ip": ip, **AWS, **members})

    def put_many(self, *ips: str) -> httpx.Response:
        return self.http.put(f"{self.path}/batch", json=[{"origin_ip": ip, **AWS} for ip in ips])

    def get(self, ip: str) -> httpx.Response:
        return self.http.get(f"{self.path}/{ip}")

    def delete(self, ip: str) -> httpx.Response:
        return self.http.delete(f"{self.path}/{ip}")


@contextlib.contextmanager
def zone_of(server: Server) -> Iterator[Zone]:
    found = Zone(server)
    with found.http:
        yield found


@pytest.fixture
def zone(originmap: Server) -> Iterator[Zone]:
    with zone_of(originmap) as found:
        yield found


@pytest.fixture
def client(originmap: Server) -> Iterator[cloudflare.Cloudflare]:
    """The official client, which repeats failed requests twice."""
    with cloudflare.Cloudflare(base_url=originmap.base_url, api_token=originmap.token) as found:
        yield found
