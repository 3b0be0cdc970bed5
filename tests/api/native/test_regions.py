"""The regions with their upper tiers and origins over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from originmap import data
from originmap.domain.mapping.mapping import Place, put
from originmap.service.tier.regions_in_use import RegionsInUse
from originmap.service.tier.topology import Topologies
from originmap.store.clock import wall_clock
from originmap.store.memory import MemoryStore
from tests.api.answers import error, result
from tests.api.application import ZONE_URL
from tests.api.cloudflare.two_zones import NARROW, OTHER, two_zones
from tests.builders import CAUSE, ip, new_zone, zone

REGIONS = "http://testserver/originmap/v1/regions"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with two_zones() as client:
        yield client


async def _region(client: httpx.AsyncClient, name: str, **more: Any) -> Any:
    regions = result(await client.get(REGIONS, **more))["regions"]
    (found,) = (r for r in regions if (r["vendor"], r["region"]) == ("aws", name))
    return found


async def test_a_region_has_its_position_upper_tier_and_origins(client: httpx.AsyncClient) -> None:
    found = await _region(client, "us-east-1")
    zones = found.pop("zones")
    assert found == {
        "vendor": "aws", "region": "us-east-1", "title": "US East (N. Virginia)",
        "city": "Ashburn", "country": "US", "latitude": 39.0437, "longitude": -77.4875,
        "upper_tier_colos": ["IAD", "EWR"], "reason": "IAD: nearest to aws us-east-1, 11 km",
    }  # fmt: skip
    assert [(z["name"], z["origins"], z["mode"]) for z in zones] == [("example.com", 1, "hint")]


async def test_all_regions_are_listed_those_without_origins_too(client: httpx.AsyncClient) -> None:
    answer = result(await client.get(REGIONS))
    names = [(r["vendor"], r["region"]) for r in answer["regions"]]
    assert names == [(r.vendor, r.name) for r in data.catalogue().regions()]
    assert sum(bool(r["zones"]) for r in answer["regions"]) == 2
    assert answer["revision"] > 0


async def test_only_zones_that_the_caller_can_read_are_counted(client: httpx.AsyncClient) -> None:
    assert (await _region(client, "us-east-1", headers=NARROW))["zones"] == []
    (counted,) = (await _region(client, "us-west-2", headers=NARROW))["zones"]
    assert counted == {"zone_id": OTHER, "name": "example.org", "origins": 1, "mode": "hint"}


async def test_the_mode_follows_the_settings_of_the_zone(client: httpx.AsyncClient) -> None:
    result(await client.patch(f"{ZONE_URL}/argo/tiered_caching", json={"value": "off"}))
    assert [z["mode"] for z in (await _region(client, "us-east-1"))["zones"]] == ["off"]


async def test_arguments_are_refused(client: httpx.AsyncClient) -> None:
    assert error(await client.get(REGIONS, params={"vendor": "aws"}))[0] == 400


async def test_origins_in_a_region_that_left_the_catalogue_are_counted_too() -> None:
    store, catalogue, gone = MemoryStore(), data.catalogue(), Place("aws", "xx-gone-1")
    await store.write_records(new_zone(OTHER, "example.org"), CAUSE)
    await store.write(OTHER, (ip("192.0.2.1"),), put(ip("192.0.2.1"), gone), CAUSE)
    topologies = Topologies(store, lambda: catalogue, data.topology(), wall_clock)
    found = await RegionsInUse(store, lambda: catalogue, topologies).of(
        [zone(OTHER, "example.org")]
    )
    (use,) = (use for use in found if use.place == gone)
    assert (use.region, use.tier, use.zones[0].origins) == (None, None, 1)
