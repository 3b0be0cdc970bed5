"""A token that is denied one zone cannot use operations on all zones."""

from collections.abc import AsyncIterator

import httpx
import pytest

from originmap import bootstrap
from originmap.domain.access.permissions import (
    ACCOUNT_PREFIX,
    ALL_ACCOUNTS,
    ALL_ZONES,
    GROUP_IDS,
    USER_PREFIX,
    ZONE_PREFIX,
    Policy,
)
from originmap.domain.access.token_rules import create_token
from originmap.domain.history.record import Kind
from originmap.domain.zone.rules import add_missing
from originmap.domain.zone.zone import Account, Zone
from originmap.service import initial_data
from tests.api.answers import error, result
from tests.api.application import BASE, BEARER, client_of
from tests.builders import CAUSE, policy, token

OWN = BASE.replace("client/v4", "originmap/v1")
ACCOUNT, OTHER = initial_data.DEV_ID, "b" * 32
DENIED, ABROAD, UNKNOWN = "d" * 32, "e" * 32, "f" * 32
FORBIDDEN = (403, 10000, "Authentication error")
ZONE_READ, ZONE_WRITE = "c8fed203ed3043cba015a93ad1616f1f", "e6d2666161e84845a636613608cee8d5"
SETTINGS_WRITE = "3030687196b94b638145a3953da2b699"
ACCOUNT_SETTINGS_WRITE = "1af1fa2adc104452b74a9a3364202f20"

EVERYTHING = policy(True, [ALL_ACCOUNTS, USER_PREFIX + initial_data.DEV_ID], GROUP_IDS)
DENY_ONE = policy(False, [ZONE_PREFIX + DENIED], GROUP_IDS)
DENY_INSIDE = Policy(
    "p", False, {ACCOUNT_PREFIX + ACCOUNT: {ZONE_PREFIX + DENIED: "*"}}, tuple(GROUP_IDS)
)
DENY_ALL_BY_ACCOUNTS = Policy("p", False, {ALL_ACCOUNTS: {ALL_ZONES: "*"}}, tuple(GROUP_IDS))


@pytest.fixture
async def opened() -> AsyncIterator[bootstrap.Opened]:
    """Two accounts; the denied zone is in the first, and another zone in the second."""
    async with bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened:
        values = [
            (Kind.ACCOUNT, Account(OTHER, "Other", 1 << 51)),
            (Kind.ZONE, Zone(DENIED, "denied.example", ACCOUNT, 1, 1)),
            (Kind.ZONE, Zone(ABROAD, "abroad.example", OTHER, 1, 1)),
        ]
        await opened.store.write_records(add_missing(values), CAUSE)
        yield opened


@pytest.fixture
async def client(opened: bootstrap.Opened) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(opened) as client:
        yield client


async def _token(opened: bootstrap.Opened, *policies: Policy) -> dict[str, str]:
    await opened.store.write_records(create_token(token("t", *policies)), CAUSE)
    return {"Authorization": "Bearer secret-t"}


@pytest.mark.parametrize(
    ("policies", "status"),
    [
        ([EVERYTHING], 200),
        ([EVERYTHING, DENY_ONE], 403),
        ([EVERYTHING, DENY_INSIDE], 403),
        ([EVERYTHING, DENY_ALL_BY_ACCOUNTS], 403),
        ([EVERYTHING, policy(False, [ZONE_PREFIX + DENIED], [SETTINGS_WRITE])], 403),
        ([EVERYTHING, policy(False, [ZONE_PREFIX + UNKNOWN], [ZONE_READ])], 403),
        ([EVERYTHING, policy(False, [USER_PREFIX + initial_data.DEV_ID], GROUP_IDS)], 403),
        ([EVERYTHING, policy(False, [ACCOUNT_PREFIX + OTHER], [ZONE_READ])], 403),
        ([EVERYTHING, policy(False, [ZONE_PREFIX + DENIED], ["0" * 32])], 200),
        ([policy(True, [ALL_ACCOUNTS], [ACCOUNT_SETTINGS_WRITE])], 403),
        ([policy(True, [ALL_ACCOUNTS], [ACCOUNT_SETTINGS_WRITE, ZONE_READ])], 200),
    ],
)
@pytest.mark.proves("D-65")
async def test_a_full_copy_requires_access_to_every_zone(
    opened: bootstrap.Opened, client: httpx.AsyncClient, policies: list[Policy], status: int
) -> None:
    headers = await _token(opened, *policies)
    for path in ("snapshot?whole=true", "snapshot?whole=true&history=true", "changes?whole=true"):
        answer = await client.get(f"{OWN}/{path}", headers=headers)
        assert answer.status_code == status, answer.text
        assert (status, "changes" in path) != (200, False) or "denied.example" in answer.text


async def test_without_whole_the_changes_of_the_denied_zone_are_hidden(
    opened: bootstrap.Opened, client: httpx.AsyncClient
) -> None:
    headers = await _token(opened, EVERYTHING, DENY_ONE)
    answer = await client.get(f"{OWN}/snapshot", headers=headers)
    assert answer.status_code == 200
    assert "abroad.example" in answer.text
    assert "denied.example" not in answer.text


@pytest.mark.proves("D-65")
@pytest.mark.parametrize(
    ("deny", "allowed_in"),
    [
        (DENY_ONE, {OTHER}),
        (DENY_INSIDE, {OTHER}),
        (policy(False, [ZONE_PREFIX + DENIED], [ZONE_WRITE]), {OTHER}),
        (policy(False, [ZONE_PREFIX + DENIED], [ZONE_READ]), {ACCOUNT, OTHER}),
        (policy(False, [ZONE_PREFIX + UNKNOWN], GROUP_IDS), {ACCOUNT, OTHER}),
        (DENY_ALL_BY_ACCOUNTS, set()),
        (policy(False, [ACCOUNT_PREFIX + OTHER], GROUP_IDS), {ACCOUNT}),
    ],
)
async def test_creating_a_zone_requires_write_permission_on_every_zone_of_the_account(
    opened: bootstrap.Opened, client: httpx.AsyncClient, deny: Policy, allowed_in: set[str]
) -> None:
    headers = await _token(opened, EVERYTHING, deny)
    for account in (ACCOUNT, OTHER):
        body = {"name": f"{account}.example", "account": {"id": account}}
        answer = await client.post(f"{BASE}/zones", json=body, headers=headers)
        assert (answer.status_code == 200) == (account in allowed_in), answer.text
        if account not in allowed_in:
            assert error(answer) == FORBIDDEN


@pytest.mark.proves("D-22", "D-65")
@pytest.mark.parametrize("path", ["origin/cloud_regions", "argo/tiered_caching"])
async def test_a_token_with_a_denied_zone_does_not_learn_which_zones_exist(
    opened: bootstrap.Opened, client: httpx.AsyncClient, path: str
) -> None:
    headers = await _token(opened, EVERYTHING, DENY_ONE)
    for before_and_after in range(2):
        for zone in (DENIED, UNKNOWN):
            answer = await client.get(f"{BASE}/zones/{zone}/{path}", headers=headers)
            assert error(answer) == FORBIDDEN
        if not before_and_after:
            result(await client.delete(f"{BASE}/zones/{DENIED}", headers=BEARER))


async def test_the_audit_log_omits_a_denied_zone(
    opened: bootstrap.Opened, client: httpx.AsyncClient
) -> None:
    mapping = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
    for zone in (DENIED, ACCOUNT):
        url = f"{BASE}/zones/{zone}/origin/cloud_regions/192.0.2.1"
        result(await client.put(url, json=mapping, headers=BEARER))
    headers = await _token(opened, EVERYTHING, DENY_ONE)
    answer = await client.get(f"{BASE}/accounts/{ACCOUNT}/audit_logs", headers=headers)
    shown = {entry["resource"]["id"] for entry in result(answer) if entry["resource"]["id"]}
    zones = {entry["metadata"].get("zone_name") for entry in result(answer)}
    assert "192.0.2.1" in shown
    assert DENIED not in shown
    assert "denied.example" not in zones
