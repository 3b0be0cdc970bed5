"""Caches of the topology over HTTP."""

from typing import Any

import httpx
import pytest

from originmap.domain.tier.cache import MAX_CACHES
from tests.api.answers import error, result
from tests.api.native.test_topology import IAD, SYD, TOPOLOGY, client

__all__ = ["client"]
ADDED = {"colo": "IAD", "address": "192.0.2.10"}


async def _caches(client: httpx.AsyncClient, code: str) -> list[dict[str, Any]]:
    colos = result(await client.get(TOPOLOGY))["colos"]
    (caches,) = (colo["caches"] for colo in colos if colo["code"] == code)
    found: list[dict[str, Any]] = caches
    return found


async def _errors(client: httpx.AsyncClient, body: Any) -> list[str]:
    answer = await client.patch(TOPOLOGY, json=body)
    assert answer.status_code == 400
    return [each["message"] for each in answer.json()["errors"]]


async def test_caches_are_added_to_the_default_topology_changed_and_removed(
    client: httpx.AsyncClient,
) -> None:
    second = {**ADDED, "address": "192.0.2.11", "port": 8080, "tags": ["nvme"]}
    result(await client.patch(TOPOLOGY, json={"caches": {"iad-1": ADDED, "iad-2": second}}))
    change = {"iad-1": {"state": "draining", "weight": 2}, "iad-2": {"colo": "EWR"}}
    body = {"states": {"EWR": "draining"}, "caches": change}
    changed = result(await client.patch(TOPOLOGY, json=body))
    assert len(changed["colos"]) == 75
    first = {"name": "iad-1", "address": "192.0.2.10", "port": 80, "weight": 2}
    assert await _caches(client, "IAD") == [{**first, "state": "draining", "tags": []}]
    assert [(c["name"], c["port"], c["tags"]) for c in await _caches(client, "EWR")] == [
        ("iad-2", 8080, ["nvme"])
    ]
    result(await client.patch(TOPOLOGY, json={"caches": {"iad-1": None, "iad-2": None}}))
    assert await _caches(client, "IAD") == await _caches(client, "EWR") == []


async def test_a_colo_without_serving_caches_is_no_upper_tier(client: httpx.AsyncClient) -> None:
    result(await client.put(TOPOLOGY, json={"colos": [IAD, SYD]}))
    down = {"caches": {"iad-1": {**ADDED, "state": "down"}}}
    result(await client.patch(TOPOLOGY, json=down))
    last = {"states": {"SYD": "down"}}
    assert "no colo can be an upper tier" in (await _errors(client, last))[0]


async def test_all_problems_are_reported_together_and_nothing_changes(
    client: httpx.AsyncClient,
) -> None:
    before = result(await client.get(TOPOLOGY))
    caches = {"iad-1": ADDED, "iad-2": {**ADDED, "weight": 0}, "iad-9": {"weight": 2}, "x": None}
    assert await _errors(client, {"states": {"NOPE": "down"}, "caches": caches}) == [
        "there is no cache iad-9: to add it, give colo and address",
        "there is no cache x",
        "there is no colo NOPE",
        "colo IAD: cache iad-2: weight must be between 1 and 256",
        "2 caches have the address 192.0.2.10:80",
    ]
    assert result(await client.get(TOPOLOGY)) == before


@pytest.mark.parametrize(
    "body",
    [
        {}, {"states": None, "caches": None}, {"caches": []}, {"caches": {"iad-1": {"wight": 2}}},
        {"caches": {"iad-1": {**ADDED, "port": "80"}}}, {"caches": {"iad-1": {"state": "retired"}}},
        {"caches": {"iad-1": {**ADDED, "tags": [1]}}}, {"cache": {}},
    ],
)  # fmt: skip
async def test_a_body_of_another_form_is_refused(client: httpx.AsyncClient, body: Any) -> None:
    assert error(await client.patch(TOPOLOGY, json=body))[:2] == (400, 10400)


async def test_an_empty_change_is_accepted(client: httpx.AsyncClient) -> None:
    before = result(await client.get(TOPOLOGY))
    assert result(await client.patch(TOPOLOGY, json={"states": {}, "caches": {}})) == before


def _large(caches: int) -> dict[str, Any]:
    """A topology of 1,000 colos with this number of caches, which have long members."""
    colos = [{**IAD, "code": f"C{n}", "caches": []} for n in range(1000)]
    for n in range(caches):
        name, host = f"cache-{n}-of-colo-{n % 1000}", f"cache-{n}.colo-{n % 1000}.example.net"
        state = {"port": 65535, "weight": 256, "state": "active", "tags": ["generation=3", "nvme"]}
        caches_of: list[Any] = colos[n % 1000]["caches"]  # type: ignore[assignment]
        caches_of.append({"name": name, "address": host, **state})
    return {"colos": colos}


async def test_a_thousand_colos_can_have_ten_caches_each(client: httpx.AsyncClient) -> None:
    result(await client.put(TOPOLOGY, json=_large(MAX_CACHES)))
    change = {"caches": {"cache-0-of-colo-0": {"state": "down"}}}
    result(await client.patch(TOPOLOGY, json=change))
    assert (await _caches(client, "C0"))[0]["state"] == "down"
    one_more = {"caches": {"more": {"colo": "C0", "address": "192.0.2.1"}}}
    assert await _errors(client, one_more) == ["10,001 caches; the limit is 10,000"]
