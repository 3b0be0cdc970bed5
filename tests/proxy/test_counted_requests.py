"""The number of requests that the proxy saves with an API that has Cloudflare's rate limit."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.process import BEARER, ZONE, Server
from tests.proxy.callers import PATH, Sent, delete, entry, get, over, put
from tests.proxy.process import ProxyProcess

ADDRESSES = [f"10.0.{number // 250}.{number % 250 + 1}" for number in range(3500)]
FILLING = 35


class Counted(NamedTuple):
    """A proxy, the API behind it, and the API's log."""

    proxy: ProxyProcess
    server: Server

    def requests(self) -> Counter[int]:
        """The responses of the stopped API to requests for its zone: the count of each status."""
        self.server.stop()
        lines = map(json.loads, self.server.log.read_text().splitlines())
        return Counter(line["status"] for line in lines if line.get("zone") == ZONE)


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[Counted]:
    with (
        Server(":memory:", tmp_path, args=["--rate-limit", "cloudflare"]) as server,
        ProxyProcess(server.api, tmp_path) as proxy,
    ):
        yield Counted(proxy, server)


def fill(server: Server) -> None:
    """Write 3,500 mappings without the proxy."""
    with httpx.Client(base_url=server.api, headers=BEARER, timeout=30) as http:
        for start in range(0, len(ADDRESSES), 100):
            body = [entry(address) for address in ADDRESSES[start : start + 100]]
            http.put(f"{PATH}/batch", json=body).raise_for_status()


async def test_3500_reads_over_10_connections_take_at_most_40_requests(counted: Counted) -> None:
    fill(counted.server)
    answers = await over(10, counted.proxy, ADDRESSES, get)
    for address, answer in answers.items():
        assert (answer.status, answer.result["origin_ip"]) == (200, address)
    received, sent = counted.proxy.stop()
    assert (received, len(answers)) == (3500, 3500)
    assert sent <= 40
    assert counted.requests() == {200: FILLING + sent}


async def test_3500_writes_take_at_most_80_requests(counted: Counted) -> None:
    answers = await over(500, counted.proxy, ADDRESSES, put)
    for address, answer in answers.items():
        assert (answer.status, answer.result["origin_ip"]) == (200, address)
        assert answer.result["modified_on"]
    received, sent = counted.proxy.stop()
    assert (received, len(answers)) == (3500, 3500)
    assert sent <= 80
    assert counted.requests() == {200: sent}


async def test_3500_deletions_take_at_most_80_requests(counted: Counted) -> None:
    fill(counted.server)
    answers = await over(500, counted.proxy, ADDRESSES, delete)
    for address, answer in answers.items():
        assert (answer.status, answer.result) == (200, {"origin_ip": address})
    _, sent = counted.proxy.stop()
    assert sent <= 80
    assert counted.requests() == {200: FILLING + sent}


async def test_500_writes_over_10_connections_take_at_most_150_requests(counted: Counted) -> None:
    answers = await over(10, counted.proxy, ADDRESSES[:500], put)
    assert {answer.status for answer in answers.values()} == {200}
    _, sent = counted.proxy.stop()
    assert sent <= 150
    assert counted.requests() == {200: sent}


async def test_no_request_exceeds_the_rate_limit(tmp_path: Path) -> None:
    with (
        Server(":memory:", tmp_path, args=["--rate-limit", "20/1"]) as server,
        ProxyProcess(server.api, tmp_path) as proxy,
    ):
        pages = [f"{PATH}?page={number}" for number in range(1, 46)]
        answers = await over(10, proxy, pages, lambda path: Sent("GET", path))
        assert {answer.status for answer in answers.values()} == {200}
        assert Counted(proxy, server).requests() == {200: 45}
