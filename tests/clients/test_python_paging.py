"""PyPI's `cloudflare` on a zone with the maximum number of mappings.

The client ignores `total_pages`: it requests pages until one is empty.
"""

import random
from collections.abc import AsyncIterator
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import cloudflare
import pytest
from cloudflare import Cloudflare

from tests.clients.python_client import BY_TOKEN, Client, every, fields, opened, put, settled
from tests.process import ZONE, Server

LIMIT = 3500

IN_ORDER = [str(IPv4Address("203.0.113.250") + number) for number in range(2000)] + [
    str(IPv6Address("2001:db8::fff0") + number * 7) for number in range(LIMIT - 2000)
]
"""The addresses of a full zone, in the order of the list."""


@pytest.fixture(scope="module")
def full(server: Server) -> Server:
    """The shared server, its zone filled by batches of 100 in random order."""
    shuffled = random.Random(3500).sample(IN_ORDER, LIMIT)
    with Cloudflare(base_url=server.api, **BY_TOKEN) as client:
        for start in range(0, LIMIT, 100):
            body = [
                {"origin_ip": origin_ip, "vendor": "aws", "region": "us-east-1"}
                for origin_ip in shuffled[start : start + 100]
            ]
            outcome = client.cache.origin_cloud_regions.bulk_update(zone_id=ZONE, body=body)
            assert len(outcome.succeeded) == 100
    return server


@pytest.fixture
async def regions(full: Server, kind: type[Client]) -> AsyncIterator[Any]:
    async with opened(kind, full.api, **BY_TOKEN) as client:
        yield client.cache.origin_cloud_regions


@pytest.mark.proves("P-LIST-5")
@pytest.mark.parametrize("query", [{}, {"per_page": 100}, {"per_page": 99}])
async def test_auto_paging_sees_each_mapping_once_in_order(
    regions: Any, query: dict[str, int]
) -> None:
    seen = await every(regions.list(zone_id=ZONE, **query))
    assert [entry.origin_ip for entry in seen] == IN_ORDER


@pytest.mark.proves("P-LIST-5")
async def test_pages_can_be_fetched_one_by_one(regions: Any) -> None:
    page = await settled(regions.list(zone_id=ZONE, per_page=100))
    fetched = 1
    while page.has_next_page():
        page = await settled(page.get_next_page())
        fetched += 1
    assert page.result == []
    assert fetched == LIMIT // 100 + 1


@pytest.mark.proves("P-PUT-5")
async def test_one_mapping_more_is_refused(regions: Any) -> None:
    with pytest.raises(cloudflare.PermissionDeniedError) as caught:
        await put(regions, "192.0.2.1")
    (error,) = caught.value.errors
    assert (error.code, error.message) == (
        1164,
        "Maximum number of IP mappings configured for zone.",
    )


@pytest.mark.proves("P-BPUT-5")
async def test_a_batch_with_one_mapping_more_is_refused_as_a_whole(regions: Any) -> None:
    place = {"vendor": "gcp", "region": "us-central1"}
    body = [{"origin_ip": IN_ORDER[0], **place}, {"origin_ip": "192.0.2.1", **place}]
    with pytest.raises(cloudflare.PermissionDeniedError) as caught:
        await settled(regions.bulk_update(zone_id=ZONE, body=body))
    assert [error.code for error in caught.value.errors] == [1164]
    kept = await settled(regions.get(IN_ORDER[0], zone_id=ZONE))
    assert fields(kept) == (IN_ORDER[0], "aws", "us-east-1")


@pytest.mark.proves("D-8")
async def test_a_mapping_of_a_full_zone_can_still_be_replaced(regions: Any) -> None:
    for vendor, region in (("azure", "eastus"), ("aws", "us-east-1")):
        replaced = await put(regions, IN_ORDER[-1], vendor, region)
        assert fields(replaced) == (IN_ORDER[-1], vendor, region)
