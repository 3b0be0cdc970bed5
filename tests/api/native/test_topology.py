"""The topology and the latencies over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from originmap import bootstrap
from originmap.domain.access.permissions import ALL_ZONES
from originmap.domain.access.token_rules import create_token
from originmap.service import initial_data
from tests.api.answers import error, result
from tests.api.application import BASE, BEARER, MAPPINGS, client_of
from tests.builders import CAUSE, policy, token

OWN = "http://testserver/originmap/v1"
TOPOLOGY, LATENCIES = f"{OWN}/topology", f"{OWN}/latencies"
IAD = {"code": "IAD", "city": "Ashburn", "country": "US", "latitude": 38.9, "longitude": -77.5}
SYD = {"code": "SYD", "city": "Sydney", "country": "AU", "latitude": -33.9, "longitude": 151.2}
SETTINGS_WRITE = "3030687196b94b638145a3953da2b699"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with (
        bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened,
        client_of(opened, BEARER) as client,
    ):
        zones_only = token("zones", policy(True, [ALL_ZONES], [SETTINGS_WRITE]))
        await opened.store.write_records(create_token(zones_only), CAUSE)
        yield client


async def _tiers(client: httpx.AsyncClient, vendor: str, region: str) -> list[str]:
    regions = result(await client.get(f"{MAPPINGS}/supported_regions"))["vendors"][vendor]
    (found,) = (each for each in regions if each["name"] == region)
    colos: list[str] = found["upper_tier_colos"]
    return colos


async def test_the_packaged_topology_is_in_force_until_one_is_set(
    client: httpx.AsyncClient,
) -> None:
    topology = result(await client.get(TOPOLOGY))
    assert len(topology["colos"]) == 75
    assert (topology["apart_km"], topology["fallbacks"], topology["overrides"]) == (150.0, 1, {})


async def test_a_new_setting_is_returned_and_used(client: httpx.AsyncClient) -> None:
    sent = {"colos": [IAD, SYD], "overrides": {"aws/us-east-1": ["SYD"]}, "fallbacks": 0}
    changed = result(await client.put(TOPOLOGY, json=sent))
    assert changed == result(await client.get(TOPOLOGY))
    assert await _tiers(client, "aws", "us-east-1") == ["SYD"]
    assert await _tiers(client, "aws", "us-east-2") == ["IAD"]
    assert result(await client.put(TOPOLOGY, json=changed)) == changed


async def test_setting_the_current_value_is_not_recorded(client: httpx.AsyncClient) -> None:
    logs = f"{BASE}/accounts/{initial_data.DEV_ID}/audit_logs"
    for _ in range(2):
        result(await client.put(TOPOLOGY, json={"colos": [IAD]}))
    entries = [e for e in result(await client.get(logs)) if e["resource"]["type"] == "topology"]
    assert [entry["action"]["type"] for entry in entries] == ["add"]
    assert entries[0]["actor"]["email"] == initial_data.DEV_EMAIL


async def test_a_colo_is_drained_and_activated(client: httpx.AsyncClient) -> None:
    assert await _tiers(client, "aws", "us-east-1") == ["IAD", "EWR"]
    result(await client.patch(TOPOLOGY, json={"states": {"IAD": "draining"}}))
    assert await _tiers(client, "aws", "us-east-1") == ["EWR", "YYZ"]
    result(await client.patch(TOPOLOGY, json={"states": {"IAD": "active", "EWR": "down"}}))
    assert await _tiers(client, "aws", "us-east-1") == ["IAD", "YYZ"]


@pytest.mark.parametrize(
    ("method", "body", "code"),
    [
        ("PUT", {"colos": []}, 10460), ("PUT", {"colos": [{**IAD, "eligible": False}]}, 10460),
        ("PUT", {"colos": [{**IAD, "code": "x"}]}, 10460), ("PUT", {}, 10400), ("PUT", [], 10400),
        ("PUT", {"colos": [IAD], "more": 1}, 10400), ("PUT", {"colos": [{"code": "IAD"}]}, 10400),
        ("PUT", {"colos": [{**IAD, "state": "asleep"}]}, 10400),
        ("PATCH", {"states": {"NOPE": "down"}}, 10460), ("PATCH", {}, 10400),
        ("PATCH", {"states": {"IAD": "asleep"}}, 10400),
    ],
)  # fmt: skip
async def test_invalid_topologies_are_refused(
    client: httpx.AsyncClient, method: str, body: Any, code: int
) -> None:
    before = result(await client.get(TOPOLOGY))
    assert error(await client.request(method, TOPOLOGY, json=body))[:2] == (400, code)
    assert result(await client.get(TOPOLOGY)) == before


async def test_all_errors_of_a_topology_are_reported_together(client: httpx.AsyncClient) -> None:
    answer = await client.put(TOPOLOGY, json={"colos": [IAD, IAD], "fallbacks": 99})
    assert [each["code"] for each in answer.json()["errors"]] == [10460, 10460]


async def test_a_topology_that_is_not_json_is_refused(client: httpx.AsyncClient) -> None:
    assert error(await client.put(TOPOLOGY, content=b"{"))[:2] == (400, 6007)
    assert error(await client.put(TOPOLOGY))[:2] == (400, 10400)


async def test_only_an_operator_changes_it(client: httpx.AsyncClient) -> None:
    headers = {"Authorization": "Bearer secret-zones"}
    assert (await client.get(TOPOLOGY, headers=headers)).status_code == 200
    for method, url, body in (
        ("PUT", TOPOLOGY, {"colos": [IAD]}),
        ("PATCH", TOPOLOGY, {"states": {"IAD": "down"}}),
        ("PUT", LATENCIES, []),
    ):
        answer = await client.request(method, url, json=body, headers=headers)
        assert error(answer)[:2] == (403, 10000)


def _measured(colo: str, ms: float, on: str = "2026-11-24T00:00:00Z") -> dict[str, Any]:
    place = {"vendor": "aws", "region": "us-east-1"}
    return {"colo": colo, **place, "milliseconds": ms, "measured_on": on}


async def test_a_recent_measurement_takes_precedence_over_distance(
    client: httpx.AsyncClient,
) -> None:
    topology = result(await client.get(TOPOLOGY))
    always = {**topology, "latency_seconds": 10**9}
    result(await client.put(TOPOLOGY, json=always))
    result(await client.put(LATENCIES, json=[_measured("SEA", 1.5, "2026-11-01T00:00:00Z")]))
    assert await _tiers(client, "aws", "us-east-1") == ["SEA", "IAD"]
    assert result(await client.get(LATENCIES))[0]["measured_on"] == "2026-11-01T00:00:00.000000Z"
    result(await client.put(TOPOLOGY, json={**topology, "latency_seconds": 1}))
    assert await _tiers(client, "aws", "us-east-1") == ["IAD", "EWR"]
    result(await client.put(LATENCIES, json=[]))
    assert result(await client.get(LATENCIES)) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([_measured("SEA", -1)], 10461), ([_measured("SEA", 1, "yesterday")], 10461),
        ([_measured("SEA", 1, "2099-01-01T00:00:00Z")], 10461), ({}, 10400), ([{}], 10400),
    ],
)  # fmt: skip
async def test_invalid_measurements_are_refused(
    client: httpx.AsyncClient, body: Any, code: int
) -> None:
    assert error(await client.put(LATENCIES, json=body))[:2] == (400, code)


async def test_unknown_arguments_are_refused(client: httpx.AsyncClient) -> None:
    for url in (TOPOLOGY, LATENCIES):
        assert error(await client.get(url, params={"more": "1"}))[:2] == (400, 10400)


_MANY = 30_000
"""Wrong values in one request."""


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "topology", {"colos": [IAD], "generic_pool": ["ZZZ"] * _MANY}),
        ("PUT", "topology", {"colos": [IAD], "origins": {f"a/{n}": 1 for n in range(_MANY)}}),
        ("PATCH", "topology", {"caches": {f"x-{n}": None for n in range(_MANY)}}),
        ("PATCH", "topology", {"caches": {f"x-{n}": None for n in range(9_000)}}),
        ("PATCH", "topology", {"states": {f"X{n}": "down" for n in range(_MANY)}}),
        ("POST", "whatif", {"states": {f"X{n}": "down" for n in range(_MANY)}}),
        ("POST", "whatif", {"topology": {"colos": [IAD], "generic_pool": ["ZZZ"] * 9_000}}),
        ("POST", "whatif", {"topology": {"colos": [IAD], "overrides": {"a/b": ["Z"] * _MANY}}}),
        ("PUT", "catalogue", {"regions": [{"vendor": "A", "region": "B",
                                           "latitude": 99, "longitude": 0}] * 9_000}),
        ("PATCH", "catalogue", {"remove": [{"vendor": "a", "region": "b"}] * 20_000}),
        ("PUT", f"zones/{initial_data.DEV_ID}/pools",
         {"pools": [{"name": "a", "members": ["x"] * _MANY}]}),
        ("PUT", f"zones/{initial_data.DEV_ID}/pools",
         {"pools": [{"name": "A" * 5_000, "members": ["x"]}] * 100}),
    ],
)  # fmt: skip
async def test_the_answer_about_many_problems_is_short(
    client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any]
) -> None:
    answer = await client.request(method, f"{OWN}/{path}", json=body)
    assert answer.status_code == 400
    assert 1 <= len(answer.json()["errors"]) <= 100
    assert len(answer.content) < 100_000
