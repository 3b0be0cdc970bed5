"""The audit log: every change with its actor and client address, and no secrets."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from originmap import bootstrap
from originmap.domain.history.record import Kind
from originmap.domain.zone.rules import add_missing
from originmap.domain.zone.zone import Account
from originmap.service import initial_data
from tests.api.answers import BAD_PAGE, bad_per_page, error, result
from tests.api.application import BASE, BEARER, MAPPINGS, ZONE_URL, client_of

OTHER = "b" * 32
LOGS = f"{BASE}/accounts/{initial_data.DEV_ID}/audit_logs"
OTHER_LOGS = f"{BASE}/accounts/{OTHER}/audit_logs"
OWN = "http://testserver/originmap/v1"
PAIR = {"X-Auth-Email": initial_data.DEV_EMAIL, "X-Auth-Key": initial_data.DEV_KEY}
EAST, WEST = {"vendor": "aws", "region": "us-east-1"}, {"vendor": "aws", "region": "us-west-2"}


@pytest.fixture(params=["memory", "sqlite"])
async def client(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with two accounts, Example and Other."""
    db = bootstrap.MEMORY if request.param == "memory" else str(tmp_path / "audit.db")
    async with bootstrap.open_store(db, initial_data.prepare_dev) as opened:
        wanted = [(Kind.ACCOUNT, Account(OTHER, "Other", 1 << 51))]
        await opened.store.write_records(add_missing(wanted), initial_data.SETUP)
        async with client_of(opened, BEARER) as client:
            yield client


async def _put(client: httpx.AsyncClient, ip: str, place: dict[str, str], **more: Any) -> str:
    """Map an address; return the ID of the request."""
    answer = await client.put(f"{MAPPINGS}/{ip}", json={"origin_ip": ip, **place}, **more)
    result(answer)
    ray: str = answer.headers["cf-ray"]
    return ray


async def _logs(client: httpx.AsyncClient, **query: Any) -> list[Any]:
    """Entries of requests, newest first, without those of the setup."""
    params = {name.replace("_", "."): value for name, value in query.items()}
    found = result(await client.get(LOGS, params=params))
    return [entry for entry in found if entry["interface"] == "API"]


def _short(entry: Any) -> tuple[str, str, str]:
    return entry["action"]["type"], entry["resource"]["type"], entry["resource"]["id"]


@pytest.mark.proves("P-ACC-2")
async def test_an_entry_has_the_change_and_its_actor(client: httpx.AsyncClient) -> None:
    ray = await _put(client, "192.0.2.1", EAST)
    stamp = result(await client.get(f"{MAPPINGS}/192.0.2.1"))["modified_on"]
    (entry,) = await _logs(client, zone_name="example.com", actor_ip="192.0.2.200")
    new = {"origin_ip": "192.0.2.1", **EAST}
    assert entry == {
        "action": {"result": True, "type": "add"},
        "actor": {
            "email": initial_data.DEV_EMAIL, "id": initial_data.DEV_ID,
            "ip": "192.0.2.200", "type": "user",
        },
        "id": entry["id"],
        "interface": "API",
        "metadata": {"request_id": ray, "zone_name": "example.com"},
        "newValue": entry["newValue"], "newValueJson": new, "oldValue": "", "oldValueJson": {},
        "owner": {"id": initial_data.DEV_ID},
        "resource": {"id": "192.0.2.1", "type": "origin_cloud_region"},
        "when": stamp,
    }  # fmt: skip
    assert entry["newValue"] == '{"origin_ip":"192.0.2.1","vendor":"aws","region":"us-east-1"}'


async def test_the_history_of_a_mapping_is_newest_first(client: httpx.AsyncClient) -> None:
    await _put(client, "192.0.2.1", EAST)
    await _put(client, "192.0.2.1", WEST)
    result(await client.delete(f"{MAPPINGS}/192.0.2.1"))
    deleted, updated, added = await _logs(client, zone_name="example.com", actor_ip="192.0.2.200")
    east, west = ({"origin_ip": "192.0.2.1", **place} for place in (EAST, WEST))
    shown = [(e["action"]["type"], e["oldValueJson"], e["newValueJson"])
             for e in (added, updated, deleted)]  # fmt: skip
    assert shown == [("add", {}, east), ("update", east, west), ("delete", west, {})]


async def test_a_request_without_a_change_has_no_entry(client: httpx.AsyncClient) -> None:
    await _put(client, "192.0.2.1", EAST)
    before = await _logs(client)
    await _put(client, "192.0.2.1", EAST)
    refused = [
        await client.delete(f"{MAPPINGS}/192.0.2.2"),
        await client.put(f"{MAPPINGS}/192.0.2.3", json={"origin_ip": "192.0.2.3", "vendor": "x"}),
        await client.patch(ZONE_URL, json={"name": "x"}),
        await client.post(f"{BASE}/zones", json={"name": "example.com"}),
    ]
    assert all(answer.status_code >= 400 for answer in refused)
    assert await _logs(client) == before


async def test_the_entries_of_one_request_share_its_id(client: httpx.AsyncClient) -> None:
    items = [{"origin_ip": f"192.0.2.{n}", **EAST} for n in range(1, 4)]
    answer = await client.put(f"{MAPPINGS}/batch", json=items)
    entries = await _logs(client)
    assert [e["metadata"]["request_id"] for e in entries] == [answer.headers["cf-ray"]] * 3
    assert len({entry["id"] for entry in entries}) == 3
    assert len({entry["when"] for entry in entries}) == 1


async def test_the_history_of_a_zone_outlives_the_zone(client: httpx.AsyncClient) -> None:
    body = {"name": "new.example", "account": {"id": initial_data.DEV_ID}}
    zone = result(await client.post(f"{BASE}/zones", json=body))["id"]
    url = f"{BASE}/zones/{zone}"
    mapping = {"origin_ip": "192.0.2.1", **EAST}
    result(await client.patch(url, json={"paused": True}))
    result(await client.patch(f"{url}/argo/tiered_caching", json={"value": "off"}))
    result(await client.put(f"{url}/origin/cloud_regions/192.0.2.1", json=mapping))
    result(await client.delete(url))
    entries = await _logs(client, zone_name="new.example")
    assert [_short(entry) for entry in entries] == [
        ("delete", "zone", zone),
        ("delete", "origin_cloud_region", "192.0.2.1"),
        ("add", "origin_cloud_region", "192.0.2.1"),
        ("update", "zone", zone),
        ("update", "zone", zone),
        ("add", "zone", zone),
    ]
    gone, mapping_gone, _, switched, paused, _ = entries
    assert gone["metadata"] == mapping_gone["metadata"]
    assert (gone["newValueJson"], gone["oldValueJson"]["name"]) == ({}, "new.example")
    assert mapping_gone["oldValueJson"] == mapping
    for entry, member in ((switched, "tiered_cache"), (paused, "paused")):
        assert entry["oldValueJson"][member] != entry["newValueJson"][member]


def _token(name: str, groups: str = "c8fed203ed3043cba015a93ad1616f1f") -> dict[str, Any]:
    """The body of a token with a permission group, by default Read, in the account Example."""
    resources = {f"com.cloudflare.api.account.{initial_data.DEV_ID}": "*"}
    policy = {"effect": "allow", "resources": resources, "permission_groups": [{"id": groups}]}
    return {"name": name, "policies": [policy]}


@pytest.mark.parametrize("of", ["user", f"accounts/{initial_data.DEV_ID}"])
async def test_the_history_of_a_token_has_no_secrets(client: httpx.AsyncClient, of: str) -> None:
    tokens = f"{BASE}/{of}/tokens"
    made = result(await client.post(tokens, json=_token("first")))
    item = f"{tokens}/{made['id']}"
    result(await client.put(item, json=_token("second")))
    rolled = result(await client.put(f"{item}/value"))
    result(await client.delete(item))
    answer = await client.get(LOGS)
    entries = [e for e in result(answer) if e["resource"]["id"] == made["id"]]
    assert [entry["action"]["type"] for entry in entries] == ["delete", "update", "update", "add"]
    assert [entry["newValueJson"].get("name") for entry in entries[1:]] == [
        "second", "second", "first",
    ]  # fmt: skip
    for secret in (made["value"], rolled, initial_data.DEV_TOKEN, initial_data.DEV_KEY):
        assert secret not in answer.text
        assert hashlib.sha256(secret.encode()).hexdigest() not in answer.text
    assert "_hash" not in answer.text


async def test_the_actor_is_the_credential_and_its_user(client: httpx.AsyncClient) -> None:
    write = "3030687196b94b638145a3953da2b699"  # Zone Settings Write
    actors = []
    for number, of in enumerate(("user", f"accounts/{initial_data.DEV_ID}"), start=1):
        made = result(await client.post(f"{BASE}/{of}/tokens", json=_token("t", write)))
        headers = {"Authorization": f"Bearer {made['value']}"}
        await _put(client, f"192.0.2.{number}", EAST, headers=headers)
        email = initial_data.DEV_EMAIL if of == "user" else ""
        actors.append({"email": email, "id": made["id"], "ip": "192.0.2.200", "type": "user"})
    found = [e["actor"] for e in await _logs(client) if e["resource"]["id"].startswith("192.")]
    assert found == actors[::-1]


async def test_changes_of_the_setup_have_the_administrator_as_actor(
    client: httpx.AsyncClient,
) -> None:
    entries = result(await client.get(LOGS))
    made = {_short(e): e for e in entries}["add", "zone", initial_data.DEV_ID]
    assert (made["interface"], made["actor"]["type"], made["actor"]["ip"]) == ("CLI", "admin", "")


@pytest.mark.proves("P-ACC-2")
async def test_each_filter_finds_its_entries(client: httpx.AsyncClient) -> None:
    body = {"name": "new.example", "account": {"id": initial_data.DEV_ID}}
    zone = result(await client.post(f"{BASE}/zones", json=body))["id"]
    await _put(client, "192.0.2.1", EAST)
    await _put(client, "192.0.2.1", WEST)
    result(await client.delete(f"{MAPPINGS}/192.0.2.1"))
    deleted, updated, added, made = await _logs(client)
    for query, found in (
        ({"action_type": "add"}, [added, made]),
        ({"action_type": "update"}, [updated]),
        ({"action_type": "delete"}, [deleted]),
        ({"action_type": "ADD"}, []),
        ({"actor_email": initial_data.DEV_EMAIL}, [deleted, updated, added, made]),
        ({"actor_email": "nobody@example.com"}, []),
        ({"actor_ip": "192.0.2.200"}, [deleted, updated, added, made]),
        ({"actor_ip": "192.0.2.201"}, []),
        ({"zone_name": "example.com"}, [deleted, updated, added]),
        ({"zone_name": "new.example"}, [made]),
        ({"id": updated["id"]}, [updated]),
        ({"id": "none"}, []),
        ({"since": updated["when"]}, [deleted, updated]),
        ({"before": updated["when"]}, [added, made]),
        ({"since": added["when"], "before": deleted["when"]}, [updated, added]),
        ({"zone_name": "example.com", "action_type": "add"}, [added]),
        ({"stray": "1"}, [deleted, updated, added, made]),
    ):
        assert await _logs(client, **query) == found, query
    assert made["resource"]["id"] == zone


@pytest.mark.proves("D-67")
async def test_large_members_are_left_out_of_a_page_and_not_of_one_entry(
    client: httpx.AsyncClient,
) -> None:
    for milliseconds in (1, 2):
        result(await client.put(f"{OWN}/latencies", json=_measured(milliseconds)))
    for answer in (
        await client.get(LOGS),
        await client.get(LOGS, params={"per_page": "1000"}),
        await client.get(f"{OWN}/audit"),
        await client.get(f"{OWN}/audit?limit=10000"),
    ):
        assert "omitted_bytes" in answer.text
        assert len(answer.content) < 32_000
    updated, _ = await _logs(client)
    omitted = updated["newValueJson"]
    assert json.loads(updated["newValue"]) == omitted
    assert omitted["measurements"]["omitted_bytes"] > 100_000
    assert omitted != updated["oldValueJson"]
    (whole,) = await _logs(client, id=updated["id"])
    assert len(whole["newValueJson"]["measurements"]) == 1_000


def _measured(milliseconds: int) -> list[dict[str, object]]:
    """Measurements of 1,000 colos."""
    measured = {**EAST, "milliseconds": milliseconds, "measured_on": "2026-01-01T00:00:00Z"}
    return [{"colo": f"C{number}", **measured} for number in range(1_000)]


async def test_times_can_be_dates_and_have_offsets(client: httpx.AsyncClient) -> None:
    await _put(client, "192.0.2.1", EAST)
    assert len(await _logs(client, since="2026-03-01", before="2999-01-01")) == 1
    assert await _logs(client, before="2020-01-01") == []
    assert await _logs(client, since="2999-01-01T00:00:00+02:00") == []


@pytest.mark.parametrize("name", ["since", "before"])
@pytest.mark.parametrize("text", ["", "yesterday", "2026-03", "2026-13-01", "2026-03-01T12:00:00"])
async def test_an_invalid_time_is_refused(client: httpx.AsyncClient, name: str, text: str) -> None:
    status, code, message = error(await client.get(LOGS, params={name: text}))
    assert (status, code) == (400, 1146)
    assert message.startswith(f"invalid {name} parameter")


async def test_pages_follow_each_other_and_end_empty(client: httpx.AsyncClient) -> None:
    for n in range(1, 6):
        await _put(client, f"192.0.2.{n}", EAST)
    whole = await _logs(client)
    seen = []
    for page in (1, 2, 3, 4):
        query = {"page": page, "per_page": 2, "actor.ip": "192.0.2.200"}
        seen.append(result(await client.get(LOGS, params=query)))
    assert [len(page) for page in seen] == [2, 2, 1, 0]
    assert [entry for page in seen for entry in page] == whole


async def test_per_page_is_from_1_to_1000(client: httpx.AsyncClient) -> None:
    assert len(result(await client.get(LOGS, params={"per_page": 1}))) == 1
    result(await client.get(LOGS, params={"per_page": 1000}))
    for bad in (0, 1001, "x"):
        assert error(await client.get(LOGS, params={"per_page": bad})) == bad_per_page(1000)
    assert error(await client.get(LOGS, params={"page": 0})) == BAD_PAGE


async def test_an_account_gets_its_own_changes_only(client: httpx.AsyncClient) -> None:
    body = {"name": "new.example", "account": {"id": OTHER}}
    url = f"{BASE}/zones/{result(await client.post(f'{BASE}/zones', json=body))['id']}"
    result(await client.patch(f"{url}/argo/tiered_caching", json={"value": "off"}))
    result(await client.delete(url))
    result(await client.post(f"{BASE}/accounts/{initial_data.DEV_ID}/tokens", json=_token("own")))
    await _put(client, "192.0.2.1", EAST)
    mine = [_short(entry)[:2] for entry in await _logs(client)]
    assert mine == [("add", "origin_cloud_region"), ("add", "token")]
    answer = await client.get(OTHER_LOGS, params={"actor.ip": "192.0.2.200"})
    others = [_short(entry)[:2] for entry in result(answer)]
    assert others == [("delete", "zone"), ("update", "zone"), ("add", "zone")]
    for logs, absent in ((LOGS, OTHER), (OTHER_LOGS, "example.com")):
        shown = (await client.get(logs)).text
        assert f'"account_id":"{absent}"' not in shown
        assert f'"zone_name":"{absent}"' not in shown


async def test_changes_of_all_accounts_need_a_permission_for_all_accounts(
    client: httpx.AsyncClient,
) -> None:
    """A user's token can name zones of any account in its policies."""
    result(await client.post(f"{BASE}/user/tokens", json=_token("of the user")))
    body = {
        "name": "reader of the other account",
        "policies": [
            {
                "effect": "allow",
                "permission_groups": [{"id": "c1fde68c7bcc44588cbb6ddbc16d6480"}],
                "resources": {f"com.cloudflare.api.account.{OTHER}": "*"},
            }
        ],
    }
    made = result(await client.post(f"{BASE}/accounts/{OTHER}/tokens", json=body))
    narrow = {"Authorization": f"Bearer {made['value']}"}
    shown = result(await client.get(OTHER_LOGS, headers=narrow))
    assert _short(shown[0])[:2] == ("add", "token")
    assert "of the user" not in str(shown)
    assert "of the user" in str(result(await client.get(OTHER_LOGS)))
