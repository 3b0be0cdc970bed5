"""Zones: creating, listing, changing one property, and deleting with their mappings."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from originmap.domain.zone.zone import Account
from originmap.service import initial_data
from tests.api.answers import BAD_PAGE, bad_per_page, error, result
from tests.api.application import BASE, ZONE_URL, client_of_two_accounts

ZONES = f"{BASE}/zones"
OTHER = "b" * 32
INVALID_ZONE = (403, 9109, "Invalid zone identifier")
INVALID_ACCOUNT = (403, 9109, "Invalid account identifier")
INVALID_CHANGE = (
    400, 1001, "Exactly one of paused, type and vanity_name_servers can be changed."
)  # fmt: skip
PLACE = {"vendor": "aws", "region": "us-east-1"}

# Members that the official clients' models require.
REQUIRED = {
    "id", "account", "created_on", "development_mode", "meta", "modified_on", "name",
    "name_servers", "owner", "plan", "activated_on", "original_dnshost", "original_name_servers",
    "original_registrar", "status", "paused", "type",
}  # fmt: skip


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with two accounts: Example and other."""
    async with client_of_two_accounts(Account(OTHER, "other", 1 << 50)) as client:
        yield client


async def _create(
    client: httpx.AsyncClient, name: Any, account: str = initial_data.DEV_ID, **members: Any
) -> httpx.Response:
    return await client.post(ZONES, json={"name": name, "account": {"id": account}, **members})


async def _names(client: httpx.AsyncClient, **query: Any) -> list[str]:
    return [zone["name"] for zone in result(await client.get(ZONES, params=query))]


@pytest.mark.proves("P-GEN-3", "P-ZONE-7")
async def test_a_new_zone_has_the_members_that_clients_need(client: httpx.AsyncClient) -> None:
    made = result(await _create(client, "new.example", type="partial"))
    assert set(made) >= REQUIRED
    assert (made["name"], made["type"], made["paused"]) == ("new.example", "partial", False)
    assert made["account"] == {"id": initial_data.DEV_ID, "name": "Example"}
    assert made["created_on"] == made["modified_on"]
    assert (len(made["id"]), made["plan"]["price"]) == (32, 0)


@pytest.mark.proves("P-ZONE-4")
async def test_a_new_zone_is_pending_once_and_active_afterwards(
    client: httpx.AsyncClient,
) -> None:
    made = result(await _create(client, "new.example"))
    assert (made["status"], made["activated_on"]) == ("pending", None)
    found = result(await client.get(f"{ZONES}/{made['id']}"))
    assert found == {**made, "status": "active", "activated_on": made["created_on"]}
    assert result(await client.get(ZONES, params={"name": "new.example"})) == [found]


@pytest.mark.proves("D-36")
async def test_a_new_zone_accepts_mappings_and_has_settings_at_once(
    client: httpx.AsyncClient,
) -> None:
    url = f"{ZONES}/{result(await _create(client, 'new.example'))['id']}"
    mapping = {"origin_ip": "192.0.2.1", **PLACE}
    result(await client.put(f"{url}/origin/cloud_regions/192.0.2.1", json=mapping))
    assert result(await client.get(f"{url}/argo/tiered_caching"))["value"] == "on"


@pytest.mark.proves("P-ZONE-8", "D-45")
@pytest.mark.parametrize(
    "name", ["", "com", "a b.com", "-a.com", "bü_cher.example", 7, None, ["a"]]
)
async def test_an_invalid_domain_is_1002(client: httpx.AsyncClient, name: Any) -> None:
    assert error(await _create(client, name)) == (400, 1002, "Invalid domain")
    assert await _names(client) == ["example.com"]


@pytest.mark.proves("P-ZONE-8", "D-45")
@pytest.mark.parametrize("name", ["example.com", "EXAMPLE.com", "example.com."])
@pytest.mark.parametrize("account", [initial_data.DEV_ID, OTHER])
async def test_a_zone_that_exists_is_1061(
    client: httpx.AsyncClient, name: str, account: str
) -> None:
    answer = await _create(client, name, account)
    assert error(answer) == (400, 1061, "The zone already exists.")


async def test_a_name_is_stored_in_lower_case(client: httpx.AsyncClient) -> None:
    assert result(await _create(client, "New.EXAMPLE."))["name"] == "new.example"


@pytest.mark.parametrize(
    "body", [{}, {"account": None}, {"account": initial_data.DEV_ID}, {"account": {}},
             {"account": {"id": "f" * 32}}, {"account": {"id": 7}}],
)  # fmt: skip
async def test_a_missing_account_is_9109(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await client.post(ZONES, json={"name": "new.example", **body})
    assert error(answer) == INVALID_ACCOUNT


@pytest.mark.proves("D-45")
async def test_an_unknown_type_is_1001(client: httpx.AsyncClient) -> None:
    for type_ in ("half", 7, None, []):
        assert error(await _create(client, "new.example", type=type_))[:2] == (400, 1001)
    assert await _names(client) == ["example.com"]


async def test_bodies_that_are_not_json_are_refused(client: httpx.AsyncClient) -> None:
    malformed = (400, 6007, "Malformed JSON in request body")
    assert error(await client.post(ZONES, content=b"{")) == malformed
    assert error(await client.patch(ZONE_URL, content=b"{")) == malformed


@pytest.mark.proves("P-ZONE-5", "D-46")
@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"paused": True}, {"paused": True}),
        ({"paused": False}, {}),
        ({"type": "secondary"}, {"type": "secondary"}),
        ({"type": "full"}, {}),
    ],
)
async def test_one_property_is_changed_at_a_time(
    client: httpx.AsyncClient, body: dict[str, Any], shown: dict[str, Any]
) -> None:
    before = result(await client.get(ZONE_URL))
    changed = result(await client.patch(ZONE_URL, json=body))
    assert (changed["modified_on"] > before["modified_on"]) == bool(shown)
    assert changed == {**before, **shown, "modified_on": changed["modified_on"]}
    assert result(await client.get(ZONE_URL)) == changed


@pytest.mark.proves("D-46")
@pytest.mark.parametrize(
    "body",
    [{}, {"paused": True, "type": "full"}, {"paused": "yes"}, {"paused": 1}, {"type": "half"},
     {"type": None}, {"name": "new.example"}, {"plan": {"id": "x"}},
     {"paused": True, "vanity_name_servers": []}, [], None],
)  # fmt: skip
async def test_any_other_change_is_1001(client: httpx.AsyncClient, body: Any) -> None:
    before = result(await client.get(ZONE_URL))
    assert error(await client.patch(ZONE_URL, json=body)) == INVALID_CHANGE
    assert result(await client.get(ZONE_URL)) == before


@pytest.mark.proves("P-ZONE-6")
async def test_a_removed_zone_loses_its_mappings(client: httpx.AsyncClient) -> None:
    mappings = f"{ZONE_URL}/origin/cloud_regions"
    result(await client.put(f"{mappings}/192.0.2.1", json={"origin_ip": "192.0.2.1", **PLACE}))
    assert result(await client.delete(ZONE_URL)) == {"id": initial_data.DEV_ID}
    for method in ("GET", "PATCH", "DELETE"):
        answer = await client.request(method, ZONE_URL, json={"paused": True})
        assert error(answer) == INVALID_ZONE
    for url in (mappings, f"{mappings}/192.0.2.1", f"{ZONE_URL}/argo/tiered_caching"):
        answer = await client.get(url)
        assert answer.status_code == 400
        assert [e["code"] for e in answer.json()["errors"]] == [7003, 7000]
    assert await _names(client) == []


async def test_a_zone_of_the_same_name_starts_empty(client: httpx.AsyncClient) -> None:
    mappings = f"{ZONE_URL}/origin/cloud_regions"
    result(await client.put(f"{mappings}/192.0.2.1", json={"origin_ip": "192.0.2.1", **PLACE}))
    result(await client.delete(ZONE_URL))
    again = result(await _create(client, "example.com"))
    assert again["id"] != initial_data.DEV_ID
    assert result(await client.get(f"{ZONES}/{again['id']}/origin/cloud_regions")) == []


@pytest.fixture
async def many(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """example.com and shop.example in Example, api.example and lab.test in other."""
    for name, account, type_ in (
        ("shop.example", initial_data.DEV_ID, "partial"),
        ("api.example", OTHER, "full"),
        ("lab.test", OTHER, "internal"),
    ):
        result(await _create(client, name, account, type=type_))
    return client


ALL = ["api.example", "example.com", "shop.example"]


@pytest.mark.proves("P-ZONE-1")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ALL),
        ({"name": "example.com"}, ["example.com"]),
        ({"name": "EXAMPLE.COM"}, ["example.com"]),
        ({"name": "example"}, []),
        ({"name": "equal:example.com"}, ["example.com"]),
        ({"name": "not_equal:example.com"}, ["api.example", "shop.example"]),
        ({"name": "starts_with:EX"}, ["example.com"]),
        ({"name": "starts_with_case_sensitive:EX"}, []),
        ({"name": "ends_with:.example"}, ["api.example", "shop.example"]),
        ({"name": "contains:example"}, ALL),
        ({"name": "lab.test"}, []),
        ({"name": "lab.test", "type": "internal"}, ["lab.test"]),
        ({"type": "full,internal"}, ["api.example", "example.com", "lab.test"]),
        ({"type": "nothing"}, []),
        ({"status": "active"}, ALL),
        ({"status": "pending"}, []),
        ({"account.id": OTHER}, ["api.example"]),
        ({"account.name": "EXAMPLE"}, ["example.com", "shop.example"]),
        ({"account.name": "contains:the"}, ["api.example"]),
        ({"account.id": OTHER, "name": "example.com"}, []),
        ({"account.id": OTHER, "name": "example.com", "match": "any"},
         ["api.example", "example.com"]),
        ({"account.id": OTHER, "name": "example.com", "match": "all"}, []),
        ({"direction": "desc"}, ALL[::-1]),
        ({"order": "account.name"}, ["example.com", "shop.example", "api.example"]),
        ({"order": "account.name", "direction": "desc"},
         ["api.example", "example.com", "shop.example"]),
        ({"order": "status", "direction": "desc"}, ALL),
        ({"order": "nonsense", "direction": "nonsense", "match": "x", "stray": "1"}, ALL),
    ],
)  # fmt: skip
async def test_a_list_can_be_filtered_and_sorted(
    many: httpx.AsyncClient, query: dict[str, str], names: list[str]
) -> None:
    answer = await many.get(ZONES, params=query)
    assert [zone["name"] for zone in result(answer)] == names
    assert answer.json()["result_info"]["total_count"] == len(names)


@pytest.mark.proves("P-ZONE-2", "D-31")
async def test_pages_have_the_published_info(many: httpx.AsyncClient) -> None:
    seen = []
    for page in (1, 2, 3, 99):
        answer = await many.get(ZONES, params={"page": page, "per_page": 2})
        seen.append([zone["name"] for zone in result(answer)])
        assert answer.json()["result_info"] == {
            "count": len(seen[-1]), "page": page, "per_page": 2, "total_count": 3, "total_pages": 2,
        }  # fmt: skip
    assert seen == [ALL[:2], ALL[2:], [], []]


@pytest.mark.proves("D-29")
async def test_per_page_is_from_1_to_50(client: httpx.AsyncClient) -> None:
    for good in (1, 50):
        assert await _names(client, per_page=good) == ["example.com"]
    for bad in (0, 51, -1, "x", ""):
        assert error(await client.get(ZONES, params={"per_page": bad})) == bad_per_page(50)
        if bad != 51:
            assert error(await client.get(ZONES, params={"page": bad})) == BAD_PAGE


async def test_a_list_shows_only_the_zones_that_the_token_reads(many: httpx.AsyncClient) -> None:
    resource = {f"com.cloudflare.api.account.{OTHER}": "*"}
    groups = [{"id": "c8fed203ed3043cba015a93ad1616f1f"}]  # Zone Read
    policy = {"effect": "allow", "resources": resource, "permission_groups": groups}
    made = result(await many.post(f"{BASE}/user/tokens", json={"name": "t", "policies": [policy]}))
    headers = {"Authorization": f"Bearer {made['value']}"}
    for query in ({}, {"name": "contains:example"}, {"name": "api.example"}):
        answer = await many.get(ZONES, params=query, headers=headers)
        assert [zone["name"] for zone in result(answer)] == ["api.example"]
    answer = await many.get(ZONES, params={"name": "example.com"}, headers=headers)
    assert result(answer) == []
