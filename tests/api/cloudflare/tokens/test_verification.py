"""Verification of a token by its holder."""

from typing import Any

import httpx
import pytest

from originmap.service import initial_data
from tests.api.answers import error, result
from tests.api.application import MAPPINGS
from tests.api.cloudflare.tokens.token_body import OF_ACCOUNT, OF_USER, authorization, make, works

VALID = {"code": 10000, "message": "This API Token is valid and active"}


async def _verified(client: httpx.AsyncClient, url: str, secret: str) -> httpx.Response:
    return await client.get(f"{url}/verify", headers=authorization(secret))


@pytest.mark.proves("P-TOKEN-2")
async def test_an_active_token_is_verified_with_a_message(
    client: httpx.AsyncClient, url: str
) -> None:
    made = await make(client, url)
    answer = await _verified(client, url, made["value"])
    assert result(answer) == {"id": made["id"], "status": "active"}
    assert answer.json()["messages"] == [VALID]


@pytest.mark.proves("P-TOKEN-1", "D-43")
@pytest.mark.parametrize(
    ("limits", "status", "messages"),
    [
        ({"status": "disabled"}, "disabled", []),
        ({"expires_on": "2020-01-01T00:00:00.000000Z"}, "expired", []),
        ({"expires_on": "2036-01-01T00:00:00.000000Z"}, "active", [VALID]),
    ],
)
async def test_verify_returns_status_and_times(
    client: httpx.AsyncClient, url: str, limits: dict[str, str], status: str, messages: list[Any]
) -> None:
    made = await make(client, url, **limits)
    answer = await _verified(client, url, made["value"])
    assert result(answer) == {"id": made["id"], **limits, "status": status}
    assert answer.json()["messages"] == messages


@pytest.mark.proves("P-TOKEN-1")
async def test_verification_of_a_token_before_its_start_returns_the_start_time(
    client: httpx.AsyncClient, url: str
) -> None:
    made = await make(client, url, not_before="2036-01-01T00:00:00.000000Z")
    answer = await _verified(client, url, made["value"])
    assert result(answer)["not_before"] == "2036-01-01T00:00:00.000000Z"
    assert answer.json()["messages"] == []  # the token is not valid yet
    assert not await works(client, made["value"])


@pytest.mark.proves("P-AUTH-8")
async def test_verification_of_an_invalid_token_is_refused(
    client: httpx.AsyncClient, url: str
) -> None:
    invalid = (401, 1000, "Invalid API Token")
    other = OF_ACCOUNT if url == OF_USER else OF_USER
    elsewhere = (await make(client, other))["value"]
    for secret in ("unknown", elsewhere):
        assert error(await _verified(client, url, secret)) == invalid
    pair = {"X-Auth-Email": initial_data.DEV_EMAIL, "X-Auth-Key": initial_data.DEV_KEY}
    del client.headers["authorization"]
    assert error(await client.get(f"{url}/verify", headers=pair)) == invalid


@pytest.mark.proves("P-AUTH-10")
async def test_a_token_for_other_addresses_cannot_be_used_from_here(
    client: httpx.AsyncClient, url: str
) -> None:
    away = (403, 9109, "Cannot use the access token from location: 192.0.2.200")
    for limits in ({"in": ["198.51.100.0/24"]}, {"not_in": ["192.0.2.0/24"]}):
        made = await make(client, url, condition={"request_ip": limits})
        assert error(await client.get(MAPPINGS, headers=authorization(made["value"]))) == away
        assert error(await _verified(client, url, made["value"])) == away
    here = await make(client, url, condition={"request_ip": {"in": ["192.0.2.200"]}})
    assert await works(client, here["value"])
