"""The seven methods of PyPI's `cloudflare`: sync and async, with a token and with email and key."""

import re
from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any

import cloudflare
import httpx
import pytest
from cloudflare import Cloudflare

from tests.clients.python_client import (
    BY_KEY,
    BY_TOKEN,
    Client,
    every,
    fields,
    opened,
    put,
    settled,
)
from tests.process import ZONE, Server

ALSO_BEHIND_PROXY = True

V4 = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
V6 = {"origin_ip": "2001:db8::1", "vendor": "gcp", "region": "us-central1"}


@pytest.fixture(params=[BY_TOKEN, BY_KEY], ids=["token", "key"])
async def client(
    emptied: Server, kind: type[Client], request: pytest.FixtureRequest
) -> AsyncIterator[Client]:
    async with opened(kind, emptied.api, **request.param) as client:
        yield client


@pytest.fixture
def regions(client: Client) -> Any:
    """The resource with the seven methods."""
    return client.cache.origin_cloud_regions


async def addresses(regions: Any) -> list[str]:
    return [entry.origin_ip for entry in await every(regions.list(zone_id=ZONE))]


@pytest.mark.proves("P-GEN-4", "P-GET-1")
async def test_update_creates_a_mapping_that_get_returns(regions: Any) -> None:
    created = await put(regions, "192.0.2.1")
    assert fields(created) == ("192.0.2.1", "aws", "us-east-1")
    assert created.modified_on.tzinfo == UTC
    read = await settled(regions.get("192.0.2.1", zone_id=ZONE))
    assert read.to_dict() == created.to_dict()


@pytest.mark.proves("P-PUT-1")
async def test_update_replaces_a_mapping(regions: Any) -> None:
    created = await put(regions, "192.0.2.1")
    replaced = await put(regions, "192.0.2.1", "gcp", "us-central1")
    assert fields(replaced) == ("192.0.2.1", "gcp", "us-central1")
    assert replaced.modified_on > created.modified_on
    assert await addresses(regions) == ["192.0.2.1"]


async def test_an_identical_update_changes_nothing(regions: Any) -> None:
    created = await put(regions, "192.0.2.1")
    assert (await put(regions, "192.0.2.1")).modified_on == created.modified_on


@pytest.mark.proves("P-GEN-5")
async def test_an_ipv6_address_is_returned_in_its_canonical_form(regions: Any) -> None:
    created = await put(regions, "2001:DB8:0:0::1", "gcp", "us-central1")
    assert created.origin_ip == "2001:db8::1"
    for spelling in ("2001:db8::1", "2001:0db8::0001", "2001:DB8::1"):
        read = await settled(regions.get(spelling, zone_id=ZONE))
        assert fields(read) == ("2001:db8::1", "gcp", "us-central1")


@pytest.mark.proves("P-GEN-7")
@pytest.mark.parametrize("segment", ["2001:db8::1", "2001%3Adb8%3A%3A1", "2001%3adb8::1"])
async def test_colons_in_the_path_may_be_percent_encoded(
    client: Client, regions: Any, segment: str
) -> None:
    await put(regions, "2001:db8::1")
    path = f"/zones/{ZONE}/origin/cloud_regions/{segment}"
    answer = await settled(client.get(path, cast_to=httpx.Response))
    assert answer.request.url.raw_path.decode().endswith(segment)
    assert answer.json()["result"]["origin_ip"] == "2001:db8::1"


@pytest.mark.proves("D-15")
async def test_list_returns_ipv4_before_ipv6_in_numerical_order(regions: Any) -> None:
    for origin_ip in ("2001:db8::1", "192.0.2.10", "::1", "192.0.2.9"):
        await put(regions, origin_ip)
    assert await addresses(regions) == ["192.0.2.9", "192.0.2.10", "::1", "2001:db8::1"]


@pytest.mark.proves("P-LIST-2")
async def test_list_returns_its_page_number(regions: Any) -> None:
    for last in (1, 2, 3):
        await put(regions, f"192.0.2.{last}")
    page = await settled(regions.list(zone_id=ZONE, page=2, per_page=2))
    assert [entry.origin_ip for entry in page.result] == ["192.0.2.3"]
    assert page.result_info.to_dict() == {
        "page": 2,
        "per_page": 2,
        "count": 1,
        "total_count": 3,
        "total_pages": 2,
    }


@pytest.mark.proves("P-LIST-3")
async def test_list_of_a_zone_without_mappings_is_empty(regions: Any) -> None:
    assert await addresses(regions) == []


@pytest.mark.proves("P-DEL-1")
async def test_delete_removes_a_mapping_and_names_it(regions: Any) -> None:
    await put(regions, "192.0.2.1")
    deleted = await settled(regions.delete("192.0.2.1", zone_id=ZONE))
    assert deleted.to_dict() == {"origin_ip": "192.0.2.1"}
    assert await addresses(regions) == []


@pytest.mark.proves("P-BPUT-2")
async def test_a_bulk_update_adds_to_existing_mappings(regions: Any) -> None:
    await put(regions, "192.0.2.7")
    outcome = await settled(regions.bulk_update(zone_id=ZONE, body=[V4, V6]))
    assert [item.to_dict() for item in outcome.succeeded] == [V4, V6]
    assert outcome.failed == []
    assert await addresses(regions) == ["192.0.2.1", "192.0.2.7", "2001:db8::1"]


@pytest.mark.proves("P-BPUT-3", "P-BPUT-4")
async def test_bulk_update_returns_failed_and_succeeded_items(regions: Any) -> None:
    batch = [V4, {**V6, "region": "us-east-1"}, {**V4, "origin_ip": "nonsense"}]
    outcome = await settled(regions.bulk_update(zone_id=ZONE, body=batch))
    assert [item.origin_ip for item in outcome.succeeded] == ["192.0.2.1"]
    assert [(item.origin_ip, item.error) for item in outcome.failed] == [
        (
            "2001:db8::1",
            "The vendor provided doesn't exist or the region provided does not exist "
            "for the specified cloud vendor",
        ),
        ("nonsense", "Invalid or missing origin IP address."),
    ]


@pytest.mark.proves("P-BDEL-2")
async def test_bulk_delete_returns_the_deleted_mappings(regions: Any) -> None:
    await settled(regions.bulk_update(zone_id=ZONE, body=[V4, V6]))
    doomed = ["192.0.2.1", "192.0.2.99"]
    outcome = await settled(regions.bulk_delete(zone_id=ZONE, extra_body=doomed))
    assert [item.to_dict() for item in outcome.succeeded] == [V4]
    assert [item.origin_ip for item in outcome.failed] == ["192.0.2.99"]
    assert outcome.failed[0].error
    assert await addresses(regions) == ["2001:db8::1"]


@pytest.mark.proves("P-BDEL-4", "D-33")
async def test_bulk_delete_without_a_body_deletes_nothing(regions: Any) -> None:
    await settled(regions.bulk_update(zone_id=ZONE, body=[V4, V6]))
    with pytest.raises(cloudflare.BadRequestError) as caught:
        await settled(regions.bulk_delete(zone_id=ZONE))
    (error,) = caught.value.errors
    assert (error.code, error.message) == (1146, "batch must be an array of 1 to 100 items")
    assert await addresses(regions) == ["192.0.2.1", "2001:db8::1"]


@pytest.mark.proves("P-GEN-9", "P-SUP-1")
async def test_supported_regions_lists_every_vendor(regions: Any) -> None:
    supported = await settled(regions.supported_regions(zone_id=ZONE))
    assert supported.obtained_codes is True
    assert set(supported.vendors) == {"aws", "azure", "gcp", "oci"}
    colos = {region.name: region.upper_tier_colos for region in supported.vendors["aws"]}
    assert colos["us-east-1"] == ["IAD", "EWR"]


@pytest.mark.proves("P-PUT-8")
async def test_every_supported_region_can_be_mapped_to(regions: Any) -> None:
    supported = await settled(regions.supported_regions(zone_id=ZONE))
    places = [(vendor, region.name) for vendor, of in supported.vendors.items() for region in of]
    batch = [
        {"origin_ip": f"198.51.100.{number % 100}", "vendor": vendor, "region": region}
        for number, (vendor, region) in enumerate(places)
    ]
    for start in range(0, len(batch), 100):
        outcome = await settled(regions.bulk_update(zone_id=ZONE, body=batch[start : start + 100]))
        assert outcome.failed == []


@pytest.mark.proves("P-GEN-13", "D-39")
async def test_a_raw_response_has_the_request_id(regions: Any) -> None:
    await put(regions, "192.0.2.1")
    rays = set()
    for _ in range(2):
        raw = await settled(regions.with_raw_response.get("192.0.2.1", zone_id=ZONE))
        assert raw.status_code == 200
        assert (await settled(raw.parse())).origin_ip == "192.0.2.1"
        rays.add(raw.headers["cf-ray"])
    assert len(rays) == 2
    assert all(re.fullmatch("[0-9a-f]{16}-[A-Z]{3}", ray) for ray in rays)


async def test_a_streamed_response_parses_to_the_same(client: Client, regions: Any) -> None:
    created = await put(regions, "192.0.2.1")
    streamed = regions.with_streaming_response.get("192.0.2.1", zone_id=ZONE)
    if isinstance(client, Cloudflare):
        with streamed as response:
            parsed = response.parse()
    else:
        async with streamed as response:
            parsed = await response.parse()
    assert parsed.to_dict() == created.to_dict()
