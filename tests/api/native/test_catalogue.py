"""The operator's own regions over HTTP, and what uses them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from originmap import bootstrap
from originmap.domain.mapping.mapping import Place, put
from originmap.service import initial_data
from tests.api.answers import error, result
from tests.api.application import BASE, BEARER, DEV, client_of
from tests.builders import CAUSE, ip

OWN = "http://testserver/originmap/v1"
CATALOGUE = f"{OWN}/catalogue"
FRA = {"vendor": "acme", "region": "fra-1", "latitude": 50.1155, "longitude": 8.6842}
SYD = {"vendor": "acme", "region": "syd-1", "latitude": -33.8688, "longitude": 151.2093}
NAMED = {"city": "Frankfurt", "country": "DE"}


@pytest.fixture
async def opened() -> AsyncIterator[bootstrap.Opened]:
    async with bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened:
        yield opened


@pytest.fixture
async def client(opened: bootstrap.Opened) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(opened, BEARER) as client:
        yield client


async def names(client: httpx.AsyncClient) -> list[str]:
    return [each["region"] for each in result(await client.get(CATALOGUE))["regions"]]


async def test_own_regions_are_set_changed_and_removed(client: httpx.AsyncClient) -> None:
    assert result(await client.get(CATALOGUE)) == {"regions": []}
    put = result(await client.put(CATALOGUE, json={"regions": [SYD, FRA | NAMED]}))
    assert put == {"regions": [FRA | NAMED, SYD | {"city": "", "country": ""}]}
    assert result(await client.put(CATALOGUE, json=put)) == put
    more = {**SYD, "region": "a-1"}
    change = {"add": [more], "remove": [{"vendor": "acme", "region": "syd-1"}]}
    result(await client.patch(CATALOGUE, json=change))
    assert await names(client) == ["a-1", "fra-1"]
    result(await client.put(CATALOGUE, json={"regions": []}))
    assert await names(client) == []


@pytest.mark.parametrize(
    ("method", "body", "code"),
    [
        ("PUT", {}, 10400), ("PUT", [], 10400), ("PUT", {"regions": [{**FRA, "zone": 1}]}, 10400),
        ("PUT", {"regions": [{"vendor": "acme", "region": "fra-1"}]}, 10400),
        ("PUT", {"regions": [FRA, FRA]}, 10464), ("PATCH", {"add": [FRA, FRA]}, 10464),
        ("PUT", {"regions": [{**FRA, "latitude": 91}]}, 10464),
        ("PATCH", {"add": [{**FRA, "vendor": "aws", "region": "us-east-1"}]}, 10464),
        ("PATCH", {"remove": [{"vendor": "acme", "region": "fra-1"}]}, 10464),
        ("PATCH", {"more": []}, 10400),
    ],
)  # fmt: skip
async def test_invalid_regions_are_refused(
    client: httpx.AsyncClient, method: str, body: Any, code: int
) -> None:
    assert error(await client.request(method, CATALOGUE, json=body))[:2] == (400, code)
    assert await names(client) == []


async def test_a_region_that_mappings_name_cannot_be_removed(
    client: httpx.AsyncClient, opened: bootstrap.Opened
) -> None:
    result(await client.put(CATALOGUE, json={"regions": [FRA, SYD]}))
    address, place = ip("192.0.2.1"), Place("acme", "fra-1")
    await opened.store.write(initial_data.DEV_ID, [address], put(address, place), CAUSE)
    status, code, text = error(await client.put(CATALOGUE, json={"regions": [SYD]}))
    assert (status, code) == (409, 10465)
    assert text == "mappings name these regions: acme fra-1 has 1"
    gone = {"remove": [{"vendor": "acme", "region": "fra-1"}]}
    assert error(await client.patch(CATALOGUE, json=gone))[:2] == (409, 10465)
    assert await names(client) == ["fra-1", "syd-1"]
    result(await client.patch(CATALOGUE, json={"add": [{**FRA, "latitude": 50}], **gone}))


async def test_upper_tiers_regions_detection_and_exports_use_own_regions_at_once(
    client: httpx.AsyncClient, opened: bootstrap.Opened
) -> None:
    address, place = ip("192.0.2.1"), Place("acme", "fra-1")
    await opened.store.write(initial_data.DEV_ID, [address], put(address, place), CAUSE)
    resolve = f"{OWN}/zones/{initial_data.DEV_ZONE}/resolve?ip=192.0.2.1"
    export = f"{OWN}/export/json"

    async def told() -> tuple[str, list[str], str]:
        (origin,) = result(await client.get(resolve))["origins"]
        text = (await client.get(export)).text
        return origin["mode"], origin["upper_tier_colos"], text

    unknown = await told()
    assert unknown[0] == "generic"
    for region, primary in ((FRA, "FRA"), ({**FRA, **SYD, "region": "fra-1"}, "SYD")):
        result(await client.put(CATALOGUE, json={"regions": [region]}))
        mode, colos, text = await told()
        assert (mode, colos[0]) == ("hint", primary)
        assert f'"primary":"{primary}"' in text
    rows = result(await client.get(f"{OWN}/regions"))["regions"]
    (row,) = (each for each in rows if each["vendor"] == "acme")
    assert (row["upper_tier_colos"][0], row["zones"][0]["origins"]) == ("SYD", 1)


@pytest.mark.proves("D-66")
async def test_the_published_routes_hide_own_regions(
    client: httpx.AsyncClient, opened: bootstrap.Opened
) -> None:
    result(await client.put(CATALOGUE, json={"regions": [FRA]}))
    mappings = f"{BASE}/zones/{initial_data.DEV_ID}/origin/cloud_regions"
    listed = result(await client.get(f"{mappings}/supported_regions"))["vendors"]
    assert listed.keys() == {"aws", "azure", "gcp", "oci"}
    item = {"origin_ip": "192.0.2.1", "vendor": "acme", "region": "fra-1"}
    assert error(await client.put(f"{mappings}/192.0.2.1", json=item))[:2] == (400, 1157)
    batch = f"{OWN}/zones/{initial_data.DEV_ZONE}/mappings/batch"
    assert result(await client.put(batch, json=[item]))["succeeded"] == [item]
    (shown,) = result(await client.get(mappings))
    assert (shown["vendor"], shown["region"]) == ("acme", "fra-1")
    unknown = {**item, "region": "fra-2"}
    (failed,) = result(await client.put(batch, json=[unknown]))["failed"]
    assert failed["error"].startswith("The vendor provided doesn't exist")
    result(await client.request("DELETE", batch, json=["192.0.2.1"]))
    assert result(await client.get(mappings)) == []


@pytest.mark.proves("D-66")
async def test_the_published_routes_know_own_regions_if_the_operator_says_so(
    opened: bootstrap.Opened,
) -> None:
    settings = replace(DEV, own_vendors=True)
    mappings = f"{BASE}/zones/{initial_data.DEV_ID}/origin/cloud_regions"
    item = {"origin_ip": "192.0.2.1", "vendor": "acme", "region": "fra-1"}
    async with client_of(opened, BEARER, settings=settings) as client:
        assert error(await client.put(f"{mappings}/192.0.2.1", json=item))[:2] == (400, 1157)
        result(await client.put(CATALOGUE, json={"regions": [FRA]}))
        result(await client.put(f"{mappings}/192.0.2.1", json=item))
        vendors = result(await client.get(f"{mappings}/supported_regions"))["vendors"]
        assert [each["name"] for each in vendors["acme"]] == ["fra-1"]
        assert vendors["acme"][0]["upper_tier_colos"][0] == "FRA"
