"""Accounts and the user: lists, filters and responses."""

from collections.abc import AsyncIterator

import httpx
import pytest

from originmap.domain.zone.zone import Account
from originmap.service import initial_data
from tests.api.answers import BAD_PAGE, bad_per_page, error, result
from tests.api.application import BASE, client_of_two_accounts

ACCOUNTS = f"{BASE}/accounts"
OTHER = "b" * 32
INVALID = (403, 9109, "Invalid account identifier")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with two accounts, Example and the newer Other."""
    async with client_of_two_accounts(Account(OTHER, "Other", 1 << 51)) as client:
        yield client


@pytest.mark.proves("P-ACC-1")
async def test_an_account_has_the_members_that_clients_need(client: httpx.AsyncClient) -> None:
    found = result(await client.get(f"{ACCOUNTS}/{initial_data.DEV_ID}"))
    assert found == {
        "created_on": found["created_on"], "id": initial_data.DEV_ID, "name": "Example",
        "settings": {"abuse_contact_email": None, "enforce_twofactor": False}, "type": "standard",
    }  # fmt: skip
    assert result(await client.get(ACCOUNTS))[0] == found


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Example", "Other"]),
        ({"direction": "desc"}, ["Other", "Example"]),
        ({"direction": "asc"}, ["Example", "Other"]),
        ({"name": "other"}, ["Other"]),
        ({"name": "contains:exam"}, ["Example"]),
        ({"name": "none"}, []),
        ({"per_page": "1", "page": "2"}, ["Other"]),
        ({"per_page": "1", "page": "3"}, []),
        ({"stray": "1"}, ["Example", "Other"]),
    ],
)
async def test_accounts_are_listed_oldest_first(
    client: httpx.AsyncClient, query: dict[str, str], names: list[str]
) -> None:
    answer = await client.get(ACCOUNTS, params=query)
    assert [account["name"] for account in result(answer)] == names
    assert answer.json()["result_info"]["count"] == len(names)


async def test_pages_have_their_position(client: httpx.AsyncClient) -> None:
    answer = await client.get(ACCOUNTS, params={"per_page": 1, "page": 9})
    assert answer.json()["result_info"] == {
        "count": 0, "page": 9, "per_page": 1, "total_count": 2, "total_pages": 2,
    }  # fmt: skip


@pytest.mark.proves("D-29")
async def test_per_page_is_from_1_to_50(client: httpx.AsyncClient) -> None:
    for bad in (0, 51, "x"):
        assert error(await client.get(ACCOUNTS, params={"per_page": bad})) == bad_per_page(50)
    assert error(await client.get(ACCOUNTS, params={"page": 0})) == BAD_PAGE


@pytest.mark.proves("P-ACC-3", "D-63")
@pytest.mark.parametrize("body", [b'{"name":"new","type":"standard"}', b"", b"{", b"[]"])
async def test_accounts_cannot_be_created(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post(ACCOUNTS, content=body)
    assert error(answer) == (403, 1002, "Forbidden. Account creation is not allowed")
    assert len(result(await client.get(ACCOUNTS))) == 2
    other = await client.put(ACCOUNTS)
    assert (other.status_code, other.headers["allow"]) == (405, "GET, HEAD, POST")


async def test_a_missing_account_is_9109(client: httpx.AsyncClient) -> None:
    for path in ("", "/tokens", "/audit_logs", "/tokens/permission_groups"):
        assert error(await client.get(f"{ACCOUNTS}/{'f' * 32}{path}")) == INVALID


async def test_a_token_sees_the_accounts_in_which_it_has_a_permission(
    client: httpx.AsyncClient,
) -> None:
    groups = [{"id": "c8fed203ed3043cba015a93ad1616f1f"}]  # Zone Read
    resource = f"com.cloudflare.api.account.zone.{initial_data.DEV_ID}"
    policy = {"effect": "allow", "resources": {resource: "*"}, "permission_groups": groups}
    body = {"name": "t", "policies": [policy]}
    made = result(await client.post(f"{BASE}/user/tokens", json=body))
    headers = {"Authorization": f"Bearer {made['value']}"}
    seen = result(await client.get(ACCOUNTS, headers=headers))
    assert [account["id"] for account in seen] == [initial_data.DEV_ID]
    assert error(await client.get(f"{ACCOUNTS}/{OTHER}", headers=headers)) == INVALID
    result(await client.get(f"{ACCOUNTS}/{initial_data.DEV_ID}", headers=headers))


@pytest.mark.proves("P-ACC-1")
async def test_the_user_is_the_owner_of_the_credential(client: httpx.AsyncClient) -> None:
    user = result(await client.get(f"{BASE}/user"))
    assert (user["id"], user["email"], user["suspended"]) == (
        initial_data.DEV_ID, initial_data.DEV_EMAIL, False,
    )  # fmt: skip
    assert [account["id"] for account in user["organizations"]] == [initial_data.DEV_ID, OTHER]
    del client.headers["authorization"]
    pair = {"X-Auth-Email": initial_data.DEV_EMAIL, "X-Auth-Key": initial_data.DEV_KEY}
    answer = await client.get(f"{BASE}/user", headers=pair)
    assert result(answer) == user
    assert initial_data.DEV_KEY not in answer.text


async def test_a_token_lists_only_the_visible_accounts_of_its_user(
    client: httpx.AsyncClient,
) -> None:
    groups = [{"id": "8acbe5bb0d54464ab867149d7f7cf8ac"}]  # User Details Read
    resource = f"com.cloudflare.api.user.{initial_data.DEV_ID}"
    policy = {"effect": "allow", "resources": {resource: "*"}, "permission_groups": groups}
    body = {"name": "t", "policies": [policy]}
    made = result(await client.post(f"{BASE}/user/tokens", json=body))
    headers = {"Authorization": f"Bearer {made['value']}"}
    assert result(await client.get(f"{BASE}/user", headers=headers))["organizations"] == []
