"""The three settings around mappings: values, changes and effects."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.api.answers import error, result
from tests.api.application import MAPPINGS, ZONE_URL, dev_client

TIERED = f"{ZONE_URL}/argo/tiered_caching"
SMART = f"{ZONE_URL}/cache/tiered_cache_smart_topology_enable"
REGIONAL = f"{ZONE_URL}/cache/regional_tiered_cache"
SETTINGS = {
    TIERED: ("tiered_caching", "on"),
    SMART: ("tiered_cache_smart_topology_enable", "on"),
    REGIONAL: ("tc_regional", "off"),
}
INVALID = (400, 1146, 'invalid value, must be "on" or "off"')
TIERED_CACHE_OFF = (403, 1135, "Tiered Cache must be enabled for this zone.")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with dev_client() as client:
        yield client


@pytest.fixture(params=SETTINGS, ids=[id_ for id_, _ in SETTINGS.values()])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


async def _set(client: httpx.AsyncClient, url: str, value: str, method: str = "PATCH") -> Any:
    return result(await client.request(method, url, json={"value": value}))


@pytest.mark.proves("P-SET-3", "D-36", "D-47")
async def test_an_unchanged_setting_has_its_default(client: httpx.AsyncClient, url: str) -> None:
    id_, default = SETTINGS[url]
    expected = {"editable": True, "id": id_, "modified_on": None, "value": default}
    assert result(await client.get(url)) == expected


@pytest.mark.proves("P-SET-1")
async def test_a_setting_has_its_last_value(client: httpx.AsyncClient, url: str) -> None:
    times = []
    for value in ("off", "on", "off"):
        changed = await _set(client, url, value)
        assert (changed["id"], changed["value"]) == (SETTINGS[url][0], value)
        assert result(await client.get(url)) == changed
        times.append(changed["modified_on"])
    assert times == sorted(set(times))


async def test_setting_the_current_value_changes_nothing(
    client: httpx.AsyncClient, url: str
) -> None:
    first = await _set(client, url, "off")
    assert await _set(client, url, "off") == first


async def test_setting_the_default_value_sets_the_modification_time(
    client: httpx.AsyncClient, url: str
) -> None:
    assert (await _set(client, url, SETTINGS[url][1]))["modified_on"] is not None


async def test_settings_are_independent(client: httpx.AsyncClient, url: str) -> None:
    others = [other for other in SETTINGS if other != url]
    before = [result(await client.get(other)) for other in others]
    await _set(client, url, "off")
    await _set(client, url, "on")
    assert [result(await client.get(other)) for other in others] == before


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"null", b'"on"', b'{"value":true}', b'{"value":"ON"}', b'{"value":""}',
     b'{"value":null}', b'{"value":["on"]}', b'{"value":{}}', b'{"enabled":"on"}',
     b'{"value":"off","value":"maybe"}'],
)  # fmt: skip
async def test_values_other_than_on_and_off_are_refused(
    client: httpx.AsyncClient, url: str, body: bytes
) -> None:
    before = result(await client.get(url))
    for method in ("PATCH", "POST") if url == SMART else ("PATCH",):
        assert error(await client.request(method, url, content=body)) == INVALID
    assert result(await client.get(url)) == before


async def test_a_body_that_is_not_json_is_refused(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.patch(url, content=b'{"value":')
    assert error(answer) == (400, 6007, "Malformed JSON in request body")


async def test_unknown_members_are_ignored(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.patch(url, json={"value": "off", "id": "x", "editable": False})
    assert result(answer)["value"] == "off"


@pytest.mark.proves("P-SET-2", "D-47")
async def test_smart_tiered_cache_can_be_created_and_deleted(client: httpx.AsyncClient) -> None:
    made = await _set(client, SMART, "on", "POST")
    assert made["value"] == "on"
    deleted = result(await client.delete(SMART))
    assert deleted == {
        "editable": True, "id": SETTINGS[SMART][0], "modified_on": deleted["modified_on"],
    }  # fmt: skip
    assert result(await client.get(SMART)) == {**deleted, "value": "off"}
    assert result(await client.delete(SMART)) == deleted
    assert (await _set(client, SMART, "on", "POST"))["value"] == "on"


async def test_other_settings_can_only_be_read_and_changed(client: httpx.AsyncClient) -> None:
    for url in (TIERED, REGIONAL):
        for method in ("POST", "PUT", "DELETE"):
            answer = await client.request(method, url, json={"value": "on"})
            text = f"Method {method} not available for that URI."
            assert error(answer) == (405, 7001, text)
            assert answer.headers["allow"] == "GET, HEAD, PATCH"
    refused = await client.put(SMART, json={"value": "on"})
    assert refused.headers["allow"] == "GET, HEAD, POST, PATCH, DELETE"


@pytest.mark.proves("P-SUP-2", "D-16")
async def test_without_tiered_cache_supported_regions_is_refused_and_mappings_work(
    client: httpx.AsyncClient,
) -> None:
    mapping = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
    regions = [f"{MAPPINGS}/supported_regions",
               f"{ZONE_URL}/cache/origin_cloud_regions/supported_regions"]  # fmt: skip
    await _set(client, TIERED, "off")
    for url in regions:
        assert error(await client.get(url)) == TIERED_CACHE_OFF
    result(await client.put(f"{MAPPINGS}/192.0.2.1", json=mapping))
    result(await client.put(f"{MAPPINGS}/batch", json=[{**mapping, "origin_ip": "192.0.2.2"}]))
    assert len(result(await client.get(MAPPINGS))) == 2
    result(await client.delete(f"{MAPPINGS}/192.0.2.1"))
    await _set(client, TIERED, "on")
    for url in regions:
        assert sorted(result(await client.get(url))["vendors"]) == ["aws", "azure", "gcp", "oci"]


async def test_supported_regions_depend_on_no_other_setting(client: httpx.AsyncClient) -> None:
    for url in (SMART, REGIONAL):
        await _set(client, url, "off")
    assert result(await client.get(f"{MAPPINGS}/supported_regions"))["obtained_codes"] is True
