"""Credentials: the valid ones, and the error for every invalid one."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from originmap import bootstrap
from originmap.domain.access.permissions import ALL_ZONES, ZONE_PREFIX, Policy
from originmap.domain.access.token import hash_secret
from originmap.domain.access.token_rules import create_token, revoke_token
from originmap.domain.history.record import Key, Kind, RecordChange, RecordDecision
from originmap.service import initial_data
from tests.api.application import BASE, MAPPINGS, client_of
from tests.builders import CAUSE, new_zone, policy, token

OTHER_ZONE = "a" * 32
READ = "517b21aee92c4d89936c976ba6e4be55"
WRITE = "3030687196b94b638145a3953da2b699"
PAIR = {"X-Auth-Email": initial_data.DEV_EMAIL, "X-Auth-Key": initial_data.DEV_KEY}


@pytest.fixture
async def opened() -> AsyncIterator[bootstrap.Opened]:
    async with bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened:
        await opened.store.write_records(new_zone(OTHER_ZONE, "example.org"), CAUSE)
        yield opened


@pytest.fixture
async def client(opened: bootstrap.Opened) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(opened) as client:
        yield client


async def _token(opened: bootstrap.Opened, *policies: Policy, name: str = "t") -> dict[str, str]:
    await opened.store.write_records(create_token(token(name, *policies)), CAUSE)
    return {"Authorization": f"Bearer secret-{name}"}


def _errors(answer: httpx.Response) -> tuple[int, list[dict[str, Any]]]:
    assert answer.json()["success"] is False
    return answer.status_code, answer.json()["errors"]


@pytest.mark.proves("P-AUTH-1", "P-AUTH-2", "P-AUTH-3", "P-AUTH-4", "P-AUTH-5", "P-AUTH-6", "D-41")
@pytest.mark.proves("D-42")
@pytest.mark.parametrize(
    ("headers", "status", "error"),
    [
        ({}, 400, (9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers", None)),
        ({"X-Auth-Email": "a@b"}, 400, (9106, "Missing X-Auth-Key header", None)),
        ({"X-Auth-Key": "k" * 32}, 400, (9107, "Missing X-Auth-Email header", None)),
        ({"Authorization": ""}, 400, (6003, "Invalid request headers", 6111)),
        ({"Authorization": "Bearer"}, 400, (6003, "Invalid request headers", 6111)),
        ({"Authorization": "Bearer "}, 400, (6003, "Invalid request headers", 6111)),
        ({"Authorization": "Bearer a b"}, 400, (6003, "Invalid request headers", 6111)),
        ({"Authorization": "Bearer ä"}, 400, (6003, "Invalid request headers", 6111)),
        ({"Authorization": "Basic abc"}, 400, (6003, "Invalid request headers", 6111)),
        ({**PAIR, "X-Auth-Key": "short"}, 400, (6003, "Invalid request headers", 6103)),
        ({**PAIR, "X-Auth-Key": "k k" * 20}, 400, (6003, "Invalid request headers", 6103)),
        ({**PAIR, "X-Auth-Email": "nobody"}, 400, (6003, "Invalid request headers", 6102)),
        ({"Authorization": "Bearer unknown"}, 401, (10000, "Authentication error", None)),
        ({**PAIR, "X-Auth-Key": "k" * 32}, 403, (9103, "Unknown X-Auth-Key or X-Auth-Email", None)),
        ({**PAIR, "X-Auth-Email": "x@y"}, 403, (9103, "Unknown X-Auth-Key or X-Auth-Email", None)),
    ],
)
async def test_invalid_credentials_are_refused(
    client: httpx.AsyncClient,
    headers: dict[str, str],
    status: int,
    error: tuple[int, str, int | None],
) -> None:
    raw = {name: value.encode() for name, value in headers.items()}
    answer = await client.get(MAPPINGS, headers=raw)
    code, message, chain = error
    found_status, (found,) = _errors(answer)
    assert (found_status, found["code"], found["message"]) == (status, code, message)
    assert [entry["code"] for entry in found.get("error_chain", [])] == ([chain] if chain else [])


@pytest.mark.proves("P-GEN-4")
@pytest.mark.parametrize(
    "headers",
    [
        PAIR,
        {"Authorization": f"Bearer {initial_data.DEV_TOKEN}"},
        {"Authorization": f"bearer  {initial_data.DEV_TOKEN}"},
        {
            "Authorization": f"Bearer {initial_data.DEV_TOKEN}",
            "X-Auth-Email": "x",
            "X-Auth-Key": "y",
        },
    ],
)
async def test_valid_credentials_are_accepted(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    assert (await client.get(MAPPINGS, headers=headers)).status_code == 200


@pytest.mark.proves("D-35")
async def test_a_bearer_token_takes_precedence_over_email_and_key(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get(MAPPINGS, headers={**PAIR, "Authorization": "Bearer unknown"})
    assert answer.status_code == 401


async def _asked(client: httpx.AsyncClient, headers: dict[str, str], zone_id: str) -> list[int]:
    """The statuses of a read and of a write."""
    url = f"{BASE}/zones/{zone_id}/origin/cloud_regions"
    read = await client.get(url, headers=headers)
    write = await client.put(f"{url}/batch", headers=headers, json=[])
    return [read.status_code, write.status_code]


@pytest.mark.proves("P-AUTH-9", "D-17")
async def test_a_read_token_can_read_and_a_write_token_can_read_and_write(
    client: httpx.AsyncClient, opened: bootstrap.Opened
) -> None:
    reads = await _token(opened, policy(True, [ALL_ZONES], [READ]), name="r")
    writes = await _token(opened, policy(True, [ALL_ZONES], [WRITE]), name="w")
    assert await _asked(client, reads, OTHER_ZONE) == [200, 403]
    assert await _asked(client, writes, OTHER_ZONE) == [200, 400]  # an empty batch


@pytest.mark.proves("D-22")
async def test_a_token_without_permissions_cannot_tell_which_zones_exist(
    client: httpx.AsyncClient, opened: bootstrap.Opened
) -> None:
    mine = await _token(opened, policy(True, [ZONE_PREFIX + OTHER_ZONE], [WRITE]))
    assert await _asked(client, mine, OTHER_ZONE) == [200, 400]
    answers = [
        await client.get(f"{BASE}/zones/{zone_id}/origin/cloud_regions", headers=mine)
        for zone_id in (initial_data.DEV_ID, "b" * 32)
    ]
    assert answers[0].content == answers[1].content
    expected = (403, [{"code": 10000, "message": "Authentication error"}])
    assert _errors(answers[0]) == _errors(answers[1]) == expected


@pytest.mark.proves("D-22")
async def test_a_missing_zone_is_reported_to_credentials_for_all_zones(
    client: httpx.AsyncClient, opened: bootstrap.Opened
) -> None:
    path = f"/zones/{'b' * 32}/origin/cloud_regions"
    message = f"Could not route to {path}, perhaps your object identifier is invalid?"
    for headers in (PAIR, await _token(opened, policy(True, [ALL_ZONES], [READ]))):
        status, errors = _errors(await client.get(BASE + path, headers=headers))
        assert (status, [error["code"] for error in errors]) == (400, [7003, 7000])
        assert errors[0]["message"] == message


@pytest.mark.proves("D-25")
async def test_deny_takes_precedence_over_allow(
    client: httpx.AsyncClient, opened: bootstrap.Opened
) -> None:
    allow = policy(True, [ALL_ZONES], [WRITE])
    deny = policy(False, [ZONE_PREFIX + OTHER_ZONE], [WRITE, READ])
    headers = await _token(opened, allow, deny)
    assert await _asked(client, headers, OTHER_ZONE) == [403, 403]
    assert await _asked(client, headers, initial_data.DEV_ID) == [200, 400]


async def test_a_revoked_token_is_invalid_after_the_commit(
    client: httpx.AsyncClient, opened: bootstrap.Opened
) -> None:
    headers = await _token(opened, policy(True, [ALL_ZONES], [READ]))
    assert (await client.get(MAPPINGS, headers=headers)).status_code == 200
    await opened.store.write_records(revoke_token("t"), CAUSE)
    assert (await client.get(MAPPINGS, headers=headers)).status_code == 401


async def test_a_changed_token_has_its_new_rights(
    client: httpx.AsyncClient, opened: bootstrap.Opened
) -> None:
    headers = await _token(opened, policy(True, [ALL_ZONES], [READ]))
    key = Key(Kind.TOKEN, "t")
    old = token("t", policy(True, [ALL_ZONES], [READ]))
    new = replace(old, secret_hash=hash_secret("rolled"), policies=())
    change = RecordChange(key, old, new)
    await opened.store.write_records(lambda view: RecordDecision((change,), None), CAUSE)
    assert (await client.get(MAPPINGS, headers=headers)).status_code == 401
    rolled = {"Authorization": "Bearer rolled"}
    assert (await client.get(MAPPINGS, headers=rolled)).status_code == 403


@pytest.mark.proves("D-40")
async def test_route_and_method_are_checked_before_the_credential(
    client: httpx.AsyncClient,
) -> None:
    unrouted = await client.get(f"{BASE}/zones/{initial_data.DEV_ID}/origin/nothing")
    assert unrouted.json()["errors"][0]["code"] == 7003
    wrong_method = await client.post(MAPPINGS)
    assert wrong_method.json()["errors"][0]["code"] == 7001


@pytest.mark.proves("D-40")
async def test_the_permission_is_checked_before_the_address_and_the_body(
    client: httpx.AsyncClient, opened: bootstrap.Opened
) -> None:
    headers = await _token(opened, policy(True, [ALL_ZONES], [READ]))
    answer = await client.put(f"{MAPPINGS}/nonsense", headers=headers, content=b"{")
    assert _errors(answer)[1][0]["code"] == 10000
