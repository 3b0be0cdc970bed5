"""Load-balancing pools over HTTP: the route, and the answers that depend on pools."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from originmap import bootstrap
from originmap.service import initial_data
from tests.api.answers import error, result
from tests.api.application import BEARER, MAPPINGS, ZONE_URL, client_of

OWN = "http://testserver/originmap/v1"
POOLS, WHATIF = f"{OWN}/zones/example.com/pools", f"{OWN}/whatif"
PLACES = {"192.0.2.1": ("aws", "us-east-1"), "192.0.2.2": ("aws", "us-west-2"),
          "192.0.2.3": ("aws", "us-east-1")}  # fmt: skip
WEB = {"name": "web", "members": ["192.0.2.1", "192.0.2.2", "2001:db8::1"]}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with (
        bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened,
        client_of(opened, BEARER) as client,
    ):
        for ip, (vendor, region) in PLACES.items():
            item = {"origin_ip": ip, "vendor": vendor, "region": region}
            result(await client.put(f"{MAPPINGS}/{ip}", json=item))
        yield client


async def _set(client: httpx.AsyncClient, *pools: dict[str, Any]) -> Any:
    return result(await client.put(POOLS, json={"pools": list(pools)}))["pools"]


async def _origins(client: httpx.AsyncClient, *ips: str, **more: str) -> Any:
    params = [*(("ip", ip) for ip in ips), *more.items()]
    url = f"{OWN}/zones/example.com/resolve"
    return result(await client.get(url, params=params))["origins"]


async def test_the_pools_are_replaced_as_a_whole(client: httpx.AsyncClient) -> None:
    assert result(await client.get(POOLS)) == {"pools": []}
    sent = {"name": "web", "members": ["2001:DB8::1", "192.0.2.2", "::ffff:192.0.2.1"]}
    assert await _set(client, sent) == [WEB]
    api = {"name": "api", "members": ["192.0.2.3"]}
    assert await _set(client, WEB, api) == [api, WEB]
    assert result(await client.get(POOLS)) == {"pools": [api, WEB]}
    assert await _set(client) == []


async def test_invalid_pools_are_refused_with_every_problem(client: httpx.AsyncClient) -> None:
    await _set(client, WEB)
    wrong = [{"name": "A", "members": []}, {"name": "b", "members": ["192.0.2.1", "192.0.2.1"]}]
    answer = await client.put(POOLS, json={"pools": wrong})
    assert answer.status_code == 400
    assert [(e["code"], e["message"].partition(":")[0]) for e in answer.json()["errors"]] == [
        (10466, "pool 'A'"), (10466, "pool A has no members"),
        (10466, "192.0.2.1 is in pool b twice"),
    ]  # fmt: skip
    unknown = await client.put(POOLS, json={"pools": [{"name": "a", "ips": []}]})
    assert error(unknown)[:2] == (400, 10400)
    assert result(await client.get(POOLS)) == {"pools": [WEB]}


async def test_a_zone_is_answered_as_before(client: httpx.AsyncClient) -> None:
    before = result(await client.get(ZONE_URL))
    await _set(client, WEB)
    after = result(await client.get(ZONE_URL))
    assert {**after, "modified_on": before["modified_on"]} == before


async def test_members_are_resolved_with_their_pool(client: httpx.AsyncClient) -> None:
    (together,) = await _origins(client, "192.0.2.1", "192.0.2.2", pool="true")
    await _set(client, WEB)
    *members, other, nobody = await _origins(client, *WEB["members"], "192.0.2.3", "192.0.2.9")
    for member in members:
        assert member["upper_tier_colos"] == together["upper_tier_colos"]
        assert member["reason"] == f"pool web: {together['reason']}"
    assert [member["region"] for member in members] == ["us-east-1", "us-west-2", None]
    assert (other["upper_tier_colos"], nobody["mode"]) == (["IAD", "EWR"], "generic")


async def test_whatif_counts_the_members_with_their_pool(client: httpx.AsyncClient) -> None:
    await _set(client, WEB)
    (member, *_) = await _origins(client, "192.0.2.1")
    state = {"states": {member["upper_tier_colos"][0]: "down", "IAD": "down"}}
    found = result(await client.post(WHATIF, json=state))
    moved = {(m["pool"], m["vendor"], m["region"]): m["origins"] for m in found["moves"]}
    assert moved == {("web", None, None): 3, (None, "aws", "us-east-1"): 1}
    assert found["cold_origins"] == 4


async def test_a_large_pool_is_resolved(client: httpx.AsyncClient) -> None:
    members = [f"10.0.{n // 250}.{n % 250 + 1}" for n in range(999)]
    await _set(client, {"name": "large", "members": [*members, "192.0.2.2"]})
    first, last = await _origins(client, members[0], "192.0.2.2")
    assert (
        first["upper_tier_colos"]
        == last["upper_tier_colos"]
        == ["SEA", first["upper_tier_colos"][1]]
    )
