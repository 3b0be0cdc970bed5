"""Tokens of users and of accounts: create, list, change, roll, revoke."""

import hashlib
import re
from typing import Any

import httpx
import pytest

from originmap.domain.access.permissions import ZONE_PREFIX
from originmap.domain.access.token import LONGEST_NAME
from originmap.service import initial_data
from tests.api.answers import BAD_PAGE, bad_per_page, error, result
from tests.api.application import BASE, MAPPINGS
from tests.api.cloudflare.tokens.token_body import (
    ACCOUNT,
    NOT_FOUND,
    OF_ACCOUNT,
    OF_USER,
    SETTINGS_WRITE,
    UNAUTHENTIC,
    ZONE,
    ZONE_READ,
    authorization,
    make,
    new_body,
    policy,
    works,
)


@pytest.mark.proves("P-TOKEN-6", "D-48")
async def test_a_new_token_is_returned_completely(client: httpx.AsyncClient, url: str) -> None:
    limits = {
        "condition": {"request_ip": {"in": ["192.0.2.0/24"], "not_in": ["192.0.2.1/32"]}},
        "expires_on": "2036-03-01T12:00:00.000000Z",
        "not_before": "2026-03-01T12:00:00.000000Z",
    }
    policies = [policy(ZONE_READ), policy(SETTINGS_WRITE, effect="deny")]
    made = await make(client, url, policies=policies, **limits)
    assert re.fullmatch(r"[A-Za-z0-9_-]{40}", made.pop("value"))
    assert re.fullmatch(r"[0-9a-f]{32}", made["id"])
    assert [sorted(policy) for policy in made["policies"]] == [
        ["effect", "id", "permission_groups", "resources"]
    ] * 2
    assert [{n: m for n, m in p.items() if n != "id"} for p in made["policies"]] == policies
    assert made == {
        "id": made["id"], "name": "made", "status": "active", "policies": made["policies"],
        "issued_on": made["issued_on"], "modified_on": made["issued_on"], "last_used_on": None,
        **limits,
    }  # fmt: skip
    assert result(await client.get(f"{url}/{made['id']}")) == made


async def test_empty_limits_are_omitted(client: httpx.AsyncClient, url: str) -> None:
    for condition in (None, {}, {"request_ip": None}):
        made = await make(client, url, condition=condition)
        assert not {"expires_on", "not_before", "condition"} & set(made)
        assert await works(client, made["value"])


@pytest.mark.proves("D-64")
@pytest.mark.parametrize(
    ("limits", "admits"),
    [
        ({}, True),
        ({"in": None, "not_in": None}, True),
        ({"in": []}, False),
        ({"not_in": []}, True),
        ({"in": [], "not_in": []}, False),
        ({"in": ["192.0.2.0/24"], "not_in": []}, True),
        ({"in": [], "not_in": ["198.51.100.0/24"]}, False),
    ],
    ids=str,
)
async def test_an_empty_in_allows_no_address_and_an_empty_not_in_excludes_none(
    client: httpx.AsyncClient, url: str, limits: dict[str, Any], admits: bool
) -> None:
    condition = {"request_ip": {name: value for name, value in limits.items() if value is not None}}
    made = await make(client, url, condition={"request_ip": limits})
    assert made["condition"] == condition
    assert await works(client, made["value"]) == admits
    open_ = await make(client, url)
    changed = new_body(condition={"request_ip": limits})
    assert result(await client.put(f"{url}/{open_['id']}", json=changed))["condition"] == condition
    assert await works(client, open_["value"]) == admits


async def test_a_new_token_has_the_rights_of_its_policies(
    client: httpx.AsyncClient, url: str
) -> None:
    read = await make(client, url)
    write = await make(client, url, policies=[policy(SETTINGS_WRITE, **{ACCOUNT: "*"})])
    body = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
    for made, status in ((read, 403), (write, 200)):
        assert await works(client, made["value"])
        answer = await client.put(
            f"{MAPPINGS}/192.0.2.1", headers=authorization(made["value"]), json=body
        )
        assert answer.status_code == status


@pytest.mark.proves("P-TOKEN-4")
async def test_a_secret_is_printed_only_once(client: httpx.AsyncClient, url: str) -> None:
    made = await make(client, url)
    rolled = result(await client.put(f"{url}/{made['id']}/value"))
    item = f"{url}/{made['id']}"
    answers = [
        await client.get(item),
        await client.get(url, params={"per_page": 50}),
        await client.put(item, json=new_body(name="changed")),
        await client.get(f"{url}/verify", headers=authorization(rolled)),
        await client.post(url, json={"name": rolled}),
        await client.delete(item),
        await client.get(f"{BASE}/accounts/{initial_data.DEV_ID}/audit_logs"),
    ]
    shown = "".join(answer.text + str(answer.headers) for answer in answers)
    assert shown.count(made["id"]) > 10
    for secret in (made["value"], rolled, initial_data.DEV_TOKEN):
        assert secret not in shown
        assert hashlib.sha256(secret.encode()).hexdigest() not in shown


BAD_BODIES: list[tuple[dict[str, Any], int, str]] = [
    ({"name": None}, 400, "name must be a string"),
    ({"name": ""}, 400, "name must have a length between 1 and 120"),
    ({"name": "x" * (LONGEST_NAME + 1)}, 400, "name must have a length between 1 and 120"),
    ({"policies": None}, 400, "policies must be an array"),
    ({"policies": []}, 400, "at least one policy is required"),
    ({"policies": ["all"]}, 400, "policies must be an object"),
    ({"policies": [{**policy(), "effect": "maybe"}]}, 400, 'effect must be "allow" or "deny"'),
    ({"policies": [{**policy(), "permission_groups": []}]}, 400,
     "a policy needs at least one permission group"),
    ({"policies": [policy({"id": "f" * 32})]}, 1001, f"Permission group {'f' * 32} not found"),
    ({"policies": [{**policy(), "resources": {}}]}, 400, "a policy needs at least one resource"),
    ({"policies": [policy(everything="*")]}, 400, "unknown resource everything"),
    ({"policies": [policy(**{ZONE: "read"})]}, 400, f'resource {ZONE} must be "*"'),
    ({"status": "expired"}, 400, 'status must be "active" or "disabled"'),
    ({"expires_on": "tomorrow"}, 400, "expires_on must be a time like 2026-03-01T12:00:00Z"),
    ({"not_before": 7}, 400, "not_before must be a string"),
    ({"not_before": "2026-03-02T00:00:00Z", "expires_on": "2026-03-01T00:00:00Z"}, 400,
     "expires_on must be after not_before"),
    ({"condition": []}, 400, "condition must be an object"),
    ({"condition": {"request_ip": []}}, 400, "request_ip must be an object"),
    ({"condition": {"request_ip": {"in": "192.0.2.1"}}}, 400, "request_ip must be an array"),
    ({"policies": [policy(ZONE_READ, effect="deny", **{f"{ZONE_PREFIX}{'A' * 32}": "*"})]}, 400,
     f"resource {ZONE_PREFIX}{'A' * 32} has no valid id: 32 characters of 0-9 and a-f"),
    ({"condition": {"request_ip": {"in": ["192.0.2.1/24"]}}}, 400,
     "request_ip: 192.0.2.1/24 has host bits set"),
]  # fmt: skip


@pytest.mark.parametrize(("members", "code", "text"), BAD_BODIES, ids=lambda value: str(value)[:40])
async def test_an_invalid_token_is_neither_created_nor_changed(
    client: httpx.AsyncClient, url: str, members: dict[str, Any], code: int, text: str
) -> None:
    made = await make(client, url)
    del made["value"]
    item = f"{url}/{made['id']}"
    before = result(await client.get(url))
    for answer in (
        await client.post(url, json=new_body(**members)),
        await client.put(item, json=new_body(**members)),
    ):
        assert error(answer) == (400, code, text)
    assert result(await client.get(url)) == before
    assert result(await client.get(item)) == made


async def test_bodies_that_are_not_json_objects_are_refused(
    client: httpx.AsyncClient, url: str
) -> None:
    item = f"{url}/{(await make(client, url))['id']}"
    for method, target in (("POST", url), ("PUT", item), ("PUT", f"{item}/value")):
        answer = await client.request(method, target, content=b"{")
        assert error(answer) == (400, 6007, "Malformed JSON in request body")
    for body in (b"", b"[]", b"null"):
        assert error(await client.post(url, content=body)) == (400, 400, "name must be a string")


async def test_a_missing_zone_cannot_be_allowed(client: httpx.AsyncClient) -> None:
    absent = policy(**{f"com.cloudflare.api.account.zone.{'f' * 32}": "*"})
    answer = await client.post(OF_USER, json=new_body(policies=[absent]))
    assert error(answer) == (403, 9109, "Invalid zone identifier")


@pytest.mark.parametrize(
    "resource", ["com.cloudflare.api.account.*", f"com.cloudflare.api.user.{initial_data.DEV_ID}",
                 "com.cloudflare.api.account.zone.*", f"com.cloudflare.api.account.{'f' * 32}"],
)  # fmt: skip
async def test_an_accounts_token_stays_in_the_account(
    client: httpx.AsyncClient, resource: str
) -> None:
    answer = await client.post(OF_ACCOUNT, json=new_body(policies=[policy(**{resource: "*"})]))
    text = f"resource {resource} is not in the account of the token"
    assert error(answer) == (400, 400, text)


async def test_a_list_has_the_owners_tokens_oldest_first(client: httpx.AsyncClient) -> None:
    for name in ("b", "a", "c"):
        await make(client, OF_USER, name=name)
        await make(client, OF_ACCOUNT, name=f"own {name}")

    async def names(url: str, **query: str) -> list[str]:
        return [token["name"] for token in result(await client.get(url, params=query))]

    assert await names(OF_USER) == ["dev", "b", "a", "c"]
    assert await names(OF_USER, direction="desc") == ["c", "a", "b", "dev"]
    assert await names(OF_ACCOUNT, direction="asc") == ["own b", "own a", "own c"]


@pytest.mark.proves("P-TOKEN-10")
async def test_expired_tokens_can_be_left_out(client: httpx.AsyncClient, url: str) -> None:
    made = await make(client, url, expires_on="2020-01-01T00:00:00Z")
    assert made["status"] == "expired"
    for query, there in (({}, True), ({"include_expired": "true"}, True),
                         ({"include_expired": "false"}, False)):  # fmt: skip
        listed = result(await client.get(url, params=query))
        assert (made["id"] in [token["id"] for token in listed]) == there


@pytest.mark.proves("P-TOKEN-10")
async def test_pages_have_the_published_info(client: httpx.AsyncClient) -> None:
    for n in range(5):
        await make(client, OF_ACCOUNT, name=str(n))
    seen = []
    for page in (1, 2, 3, 4):
        answer = await client.get(OF_ACCOUNT, params={"page": page, "per_page": 2})
        seen.append([token["name"] for token in result(answer)])
        assert answer.json()["result_info"] == {
            "count": len(seen[-1]), "page": page, "per_page": 2, "total_count": 5, "total_pages": 3,
        }  # fmt: skip
    assert seen == [["0", "1"], ["2", "3"], ["4"], []]


@pytest.mark.proves("D-29")
async def test_per_page_is_from_1_to_50(client: httpx.AsyncClient, url: str) -> None:
    for good in (1, 50):
        result(await client.get(url, params={"per_page": good}))
    for bad in (0, 51, -1, "x", ""):
        assert error(await client.get(url, params={"per_page": bad})) == bad_per_page(50)
        if bad != 51:
            assert error(await client.get(url, params={"page": bad})) == BAD_PAGE


@pytest.mark.proves("P-TOKEN-3")
async def test_an_update_replaces_all_but_the_secret(client: httpx.AsyncClient, url: str) -> None:
    made = await make(client, url, expires_on="2036-03-01T12:00:00Z")
    item = f"{url}/{made['id']}"
    changed = result(await client.put(item, json=new_body(name="x" * LONGEST_NAME)))
    assert changed["name"] == "x" * LONGEST_NAME
    assert "expires_on" not in changed
    assert (changed["id"], changed["issued_on"]) == (made["id"], made["issued_on"])
    assert changed["modified_on"] > made["modified_on"]
    assert result(await client.get(item)) == changed
    assert await works(client, made["value"])
    deny = new_body(policies=[policy(), policy(effect="deny")])
    result(await client.put(item, json=deny))
    assert not await works(client, made["value"])


async def test_a_change_without_a_status_leaves_a_token_disabled(
    client: httpx.AsyncClient, url: str
) -> None:
    made = await make(client, url, status="disabled")
    changed = result(await client.put(f"{url}/{made['id']}", json=new_body(name="renamed")))
    assert (changed["name"], changed["status"]) == ("renamed", "disabled")


async def test_a_disabled_token_stops_until_it_is_enabled(
    client: httpx.AsyncClient, url: str
) -> None:
    made = await make(client, url)
    for status in ("disabled", "active"):
        changed = result(await client.put(f"{url}/{made['id']}", json=new_body(status=status)))
        assert changed["status"] == status
        assert await works(client, made["value"]) == (status == "active")


@pytest.mark.proves("P-TOKEN-5", "D-32")
@pytest.mark.parametrize(
    "body", [{}, {"content": b""}, {"json": {}}, {"headers": {"Content-Type": "application/json"}}]
)
async def test_a_rolled_secret_replaces_the_old_one(
    client: httpx.AsyncClient, url: str, body: dict[str, Any]
) -> None:
    made = await make(client, url)
    rolled = result(await client.put(f"{url}/{made['id']}/value", **body))
    assert re.fullmatch(r"[A-Za-z0-9_-]{40}", rolled)
    assert not await works(client, made["value"])
    assert await works(client, rolled)
    kept = result(await client.get(f"{url}/{made['id']}"))
    assert (kept["name"], kept["policies"]) == (made["name"], made["policies"])


async def test_a_token_can_roll_itself(client: httpx.AsyncClient) -> None:
    account_tokens_write = {"id": "5bc3f8b21c554832afc660159ab75fa4"}
    policies = [policy(account_tokens_write, ZONE_READ, **{ACCOUNT: "*"})]
    made = await make(client, OF_ACCOUNT, policies=policies)
    url, headers = f"{OF_ACCOUNT}/{made['id']}/value", authorization(made["value"])
    rolled = result(await client.put(url, headers=headers))
    assert error(await client.put(url, headers=headers)) == (403, 9109, "Invalid access token")
    assert await works(client, rolled)


@pytest.mark.proves("P-TOKEN-3")
async def test_a_deleted_token_stops_working_and_is_removed(
    client: httpx.AsyncClient, url: str
) -> None:
    made = await make(client, url)
    item = f"{url}/{made['id']}"
    assert result(await client.delete(item)) == {"id": made["id"]}
    assert error(await client.get(MAPPINGS, headers=authorization(made["value"]))) == UNAUTHENTIC
    for answer in (
        await client.get(item), await client.put(item, json=new_body()), await client.delete(item),
        await client.put(f"{item}/value"),
    ):  # fmt: skip
        assert error(answer) == NOT_FOUND


@pytest.mark.proves("P-TOKEN-12")
async def test_tokens_are_not_found_under_another_owner(client: httpx.AsyncClient) -> None:
    for made_at, looked_at in ((OF_USER, OF_ACCOUNT), (OF_ACCOUNT, OF_USER)):
        item = f"{looked_at}/{(await make(client, made_at))['id']}"
        assert error(await client.get(item)) == NOT_FOUND
        assert error(await client.delete(item)) == NOT_FOUND


@pytest.mark.proves("P-TOKEN-14")
async def test_a_malformed_id_is_an_unknown_route(client: httpx.AsyncClient, url: str) -> None:
    for id_ in ("x", "F" * 32, "f" * 31):
        answer = await client.get(f"{url}/{id_}")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 7003)


@pytest.mark.proves("P-TOKEN-11")
async def test_permission_groups_are_all_listed_and_can_be_found(
    client: httpx.AsyncClient, url: str
) -> None:
    groups = f"{url}/permission_groups"
    listed = result(await client.get(groups))
    assert len(listed) > 300
    zone_scope = "com.cloudflare.api.account.zone"
    wanted = {**ZONE_READ, "scopes": [zone_scope]}
    assert wanted in listed
    assert result(await client.get(groups, params={"name": "Zone Read"})) == [wanted]
    scoped = result(await client.get(groups, params={"scope": zone_scope}))
    assert scoped == [group for group in listed if group["scopes"] == [zone_scope]]
    assert result(await client.get(groups, params={"name": "Nothing"})) == []


async def test_a_group_without_effect_can_be_granted(client: httpx.AsyncClient, url: str) -> None:
    groups = result(await client.get(f"{url}/permission_groups", params={"name": "DNS Read"}))
    made = await make(client, url, policies=[policy({"id": groups[0]["id"]})])
    assert made["policies"][0]["permission_groups"] == [{"id": groups[0]["id"], "name": "DNS Read"}]
    assert not await works(client, made["value"])
