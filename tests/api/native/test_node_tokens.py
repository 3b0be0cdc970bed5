"""Tokens of nodes over HTTP: their requests, their reports, and their creation."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from originmap import bootstrap
from originmap.domain.access.permissions import (
    ALL_ACCOUNTS,
    ALL_ZONES,
    COLO_PREFIX,
    NODE_GROUP_IDS,
    ZONE_PREFIX,
    Group,
    group_id,
)
from originmap.service import initial_data
from tests.api.answers import error, result
from tests.api.application import BASE, DEV, MAPPINGS, client_of

OWN = "http://testserver/originmap/v1"
TOKENS = f"{BASE}/user/tokens"
EDGE = {"id": group_id(Group.EDGE), "name": "Originmap Edge"}
REPLICATE = {"id": group_id(Group.REPLICATE), "name": "Originmap Replicate"}
OPERATOR = {"Authorization": f"Bearer {initial_data.DEV_TOKEN}"}
ZONE = ZONE_PREFIX + initial_data.DEV_ID
CLIENT = "192.0.2.200"
PLACE = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
SIN = COLO_PREFIX + "SIN"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client with an operator's token."""
    async with (
        bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened,
        client_of(opened, OPERATOR, settings=DEV) as client,
    ):
        yield client


def _policies(group: dict[str, str], *resources: str) -> list[dict[str, Any]]:
    return [
        {
            "effect": "allow",
            "permission_groups": [group],
            "resources": dict.fromkeys(resources, "*"),
        }
    ]


async def _make(client: httpx.AsyncClient, group: dict[str, str], *resources: str) -> Any:
    body = {"name": "node", "policies": _policies(group, *resources)}
    return result(await client.post(TOKENS, json=body))


def _as(made: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {made['value']}"}


async def _report(client: httpx.AsyncClient, made: Any, colo: str | None) -> httpx.Response:
    body = {"revision": 1, "applied": 1} | ({} if colo is None else {"colo": colo})
    return await client.put(f"{OWN}/followers/sin-1", json=body, headers=_as(made))


@pytest.mark.parametrize(
    ("colo", "problem"),
    [
        ("FRA", "the token is for colo SIN, not for colo FRA"),
        (None, "the token is for colo SIN, not for a node without a colo"),
    ],
)
async def test_a_token_of_one_colo_cannot_report_as_another(
    client: httpx.AsyncClient, colo: str | None, problem: str
) -> None:
    made = await _make(client, EDGE, ALL_ZONES, SIN)
    assert error(await _report(client, made, colo)) == (403, 10403, problem)
    assert result(await client.get(f"{OWN}/followers")) == []
    assert (await _report(client, made, "SIN")).status_code == 200
    (listed,) = result(await client.get(f"{OWN}/followers"))
    assert (listed["colo"], listed["credential"]) == ("SIN", made["id"])


async def test_a_token_without_a_colo_reports_as_any(client: httpx.AsyncClient) -> None:
    made = await _make(client, EDGE, ALL_ZONES)
    for colo in ("SIN", "FRA", None):
        assert (await _report(client, made, colo)).status_code == 200


async def test_a_token_of_a_node_is_listed_and_read_like_other_tokens(
    client: httpx.AsyncClient,
) -> None:
    made = await _make(client, EDGE, ZONE, SIN)
    del made["value"]
    assert made in result(await client.get(TOKENS))
    assert result(await client.get(f"{TOKENS}/{made['id']}")) == made
    (policy,) = made["policies"]
    assert policy["permission_groups"] == [EDGE]
    assert policy["resources"] == {ZONE: "*", SIN: "*"}
    published = result(await client.get(f"{TOKENS}/permission_groups"))
    assert not NODE_GROUP_IDS.keys() & {group["id"] for group in published}


async def test_a_token_of_a_node_can_be_renamed_narrowed_and_disabled_like_other_tokens(
    client: httpx.AsyncClient,
) -> None:
    made = await _make(client, EDGE, ALL_ZONES)
    url = f"{TOKENS}/{made['id']}"
    snapshot = f"{OWN}/snapshot"
    before = await client.get(snapshot, headers=_as(made))
    narrowed = {"name": "other", "policies": _policies(EDGE, ZONE_PREFIX + "f" * 32)}
    assert error(await client.put(url, json=narrowed))[:2] == (403, 9109)
    narrowed["policies"] = _policies(EDGE, ZONE)
    assert result(await client.put(url, json=narrowed))["name"] == "other"
    after = await client.get(snapshot, headers=_as(made))
    epochs = [json.loads(answer.text.split("\n")[0])["epoch"] for answer in (before, after)]
    assert epochs[0] != epochs[1]
    assert result(await client.put(url, json=narrowed | {"status": "disabled"}))
    assert error(await client.get(snapshot, headers=_as(made)))[:2] == (401, 10000)


async def test_an_account_cannot_have_tokens_for_nodes(client: httpx.AsyncClient) -> None:
    account = f"com.cloudflare.api.account.{initial_data.DEV_ID}"
    body = {"name": "node", "policies": _policies(EDGE, account)}
    refused = await client.post(f"{BASE}/accounts/{initial_data.DEV_ID}/tokens", json=body)
    assert error(refused)[:2] == (400, 400)


async def test_an_edge_node_gets_no_credentials(client: httpx.AsyncClient) -> None:
    made = await _make(client, EDGE, ALL_ZONES)
    paths = ("snapshot", "snapshot?whole=true&history=true", "changes?since=0&whole=true",
             "changes?since=0", f"changes?since=0&zone={initial_data.DEV_ID}")  # fmt: skip
    await client.put(f"{MAPPINGS}/192.0.2.1", json=PLACE)
    for path in paths:
        text = (await client.get(f"{OWN}/{path}", headers=_as(made))).text
        for secret in (
            initial_data.DEV_EMAIL,
            made["id"],
            '"kind":"token"',
            "secret_hash",
            "key_hash",
            CLIENT,
        ):
            assert (path, secret in text) == (path, False)
    start = json.loads((await client.get(f"{OWN}/snapshot", headers=_as(made))).text.split("\n")[0])
    assert start["form"] == "edge"


async def test_a_replication_token_gets_all_data(client: httpx.AsyncClient) -> None:
    made = await _make(client, REPLICATE, ALL_ACCOUNTS)
    theirs = await client.get(f"{OWN}/snapshot?whole=true&history=true", headers=_as(made))
    ours = await client.get(f"{OWN}/snapshot?whole=true&history=true")
    assert theirs.text == ours.text
    assert json.loads(theirs.text.split("\n")[0])["form"] == "whole"
    changes = f"{OWN}/changes?since=0&whole=true"
    assert (await client.get(changes, headers=_as(made))).text == (await client.get(changes)).text


async def test_an_edge_node_of_one_zone_cannot_read_others(client: httpx.AsyncClient) -> None:
    made = await _make(client, EDGE, ZONE)
    body = {"name": "other.example", "account": {"id": initial_data.DEV_ID}}
    other = result(await client.post(f"{BASE}/zones", json=body))
    for path in (f"zones/{other['id']}/resolve?ip=192.0.2.1", f"export/csv?zone={other['id']}"):
        assert error(await client.get(f"{OWN}/{path}", headers=_as(made)))[:2] == (403, 10000)
    snapshot = (await client.get(f"{OWN}/snapshot", headers=_as(made))).text
    assert "other.example" not in snapshot
    changes = (await client.get(f"{OWN}/changes?since=0", headers=_as(made))).text
    assert "other.example" not in changes
    revisions = [change["revision"] for change in json.loads(changes)["result"]["changes"]]
    assert revisions == list(range(1, len(revisions) + 1))
