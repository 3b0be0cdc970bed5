"""Rate limits as clients see them: headers, errors, and whose requests count."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from originmap import bootstrap
from originmap.domain.access.permissions import ACCOUNT_PREFIX, GROUP_IDS
from originmap.domain.access.token import Owner
from originmap.domain.access.token_rules import create_token
from originmap.service import initial_data
from originmap.settings import Settings
from tests.api.application import BASE, BEARER, MAPPINGS, ZONE_URL, client_of
from tests.builders import CAUSE, policy, token

PAIR = {"X-Auth-Email": initial_data.DEV_EMAIL, "X-Auth-Key": initial_data.DEV_KEY}
V1 = f"{ZONE_URL}/cache/origin_cloud_regions"
THROTTLE = {"code": 971, "message": "Please wait and consider throttling your request speed"}


@contextlib.asynccontextmanager
async def limited(rate_limit: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with this limit, and with tokens of the user and of the account."""
    settings = Settings(enable_v1=True, rate_limit=rate_limit)
    async with bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened:
        allow = policy(True, [ACCOUNT_PREFIX + initial_data.DEV_ID], GROUP_IDS)
        for name, kind in (("second", "user"), ("own", "account"), ("own2", "account")):
            made = token(name, allow, owner=Owner(kind, initial_data.DEV_ID))
            await opened.store.write_records(create_token(made), CAUSE)
        async with client_of(opened, settings=settings) as client:
            yield client


def _bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer secret-{name}"}


async def _statuses(client: httpx.AsyncClient, *headers: dict[str, str]) -> list[int]:
    return [(await client.get(MAPPINGS, headers=h)).status_code for h in headers]


async def test_rate_limits_are_off_by_default_and_have_no_headers() -> None:
    assert Settings().rate_limit == "off"
    async with limited("off") as client:
        answer = await client.get(MAPPINGS, headers=BEARER)
    assert not [name for name in answer.headers if "ratelimit" in name or name == "retry-after"]


@pytest.mark.proves("P-RATE-3")
async def test_every_response_has_the_number_of_remaining_requests() -> None:
    async with limited("5/300") as client:
        read = await client.get(MAPPINGS, headers=BEARER)
        refused = await client.get(f"{MAPPINGS}/192.0.2.1", headers=BEARER)
        forbidden = await client.get(f"{BASE}/accounts/{'f' * 32}", headers=BEARER)
    assert (read.status_code, refused.status_code, forbidden.status_code) == (200, 404, 403)
    for answer, left in ((read, 4), (refused, 3), (forbidden, 2)):
        assert re.fullmatch(rf'"default";r={left};t=(300|29\d)', answer.headers["ratelimit"])
    assert read.headers["ratelimit-policy"] == '"default";q=5;w=300'
    assert "retry-after" not in read.headers


@pytest.mark.proves("P-RATE-1")
async def test_a_user_has_the_published_limit() -> None:
    async with limited("cloudflare") as client:
        answer = await client.get(MAPPINGS, headers=BEARER)
    assert answer.headers["ratelimit"] == '"default";r=1199;t=300'
    assert answer.headers["ratelimit-policy"] == '"default";q=1200;w=300'


@pytest.mark.proves("P-RATE-4", "P-RATE-5")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_requests_over_the_limit_get_429_and_code_971(method: str) -> None:
    async with limited("2/300") as client:
        assert await _statuses(client, BEARER, BEARER) == [200, 200]
        answer = await client.request(method, f"{MAPPINGS}/192.0.2.1", headers=BEARER)
    assert answer.status_code == 429
    assert answer.json() == {
        "errors": [THROTTLE], "messages": [], "result": None, "success": False,
    }  # fmt: skip
    assert answer.headers["retry-after"] == "300"
    assert answer.headers["ratelimit"] == '"default";r=0;t=300'
    assert answer.headers["ratelimit-policy"] == '"default";q=2;w=300'


@pytest.mark.proves("P-RATE-1")
async def test_a_users_tokens_and_key_share_a_quota() -> None:
    async with limited("3/300") as client:
        statuses = await _statuses(client, BEARER, _bearer("second"), PAIR, BEARER, PAIR)
        assert statuses == [200, 200, 200, 429, 429]
        assert await _statuses(client, _bearer("second")) == [429]


async def test_each_token_of_an_account_has_its_own_quota() -> None:
    async with limited("1/300") as client:
        own, other = _bearer("own"), _bearer("own2")
        assert await _statuses(client, own, own, other, other, BEARER) == [200, 429, 200, 429, 200]


async def test_all_routes_count_and_requests_with_bad_credentials_do_not() -> None:
    async with limited("3/300") as client:
        bad = {"Authorization": "Bearer unknown"}
        assert await _statuses(client, bad, bad, bad, bad) == [401] * 4
        urls = [f"{BASE}/zones", f"{BASE}/user/tokens/verify", V1, MAPPINGS]
        statuses = [(await client.get(url, headers=BEARER)).status_code for url in urls]
    assert statuses == [200, 200, 200, 429]


@pytest.mark.proves("P-RATE-2")
async def test_an_address_is_limited_for_every_credential() -> None:
    async with limited("100/300,3/60") as client:
        bad = {"Authorization": "Bearer unknown"}
        assert await _statuses(client, BEARER, bad, {}) == [200, 401, 400]
        answer = await client.get(MAPPINGS, headers=_bearer("own"))
        assert await _statuses(client, BEARER) == [429]
    assert (answer.status_code, answer.json()["errors"]) == (429, [THROTTLE])
    assert answer.headers["retry-after"] == "60"


async def test_routes_without_credentials_are_not_limited() -> None:
    async with limited("1/300,1/300") as client:
        urls = ["/healthz", "/readyz", "/metrics", "/originmap/v1/openapi.json"]
        for url in urls * 2:
            assert (await client.get(f"http://testserver{url}")).status_code == 200


async def test_v1_is_marked_as_deprecated() -> None:
    async with limited("1/300") as client:
        answers = [await client.get(V1, headers=BEARER) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    for answer in answers:
        assert {"ratelimit", "ratelimit-policy", "deprecation", "sunset", "link"} <= set(
            answer.headers
        )


@pytest.mark.proves("P-RATE-4")
async def test_a_request_after_retry_after_is_accepted() -> None:
    async with limited("1/2") as client:
        assert await _statuses(client, BEARER, BEARER) == [200, 429]
        answer = await client.get(MAPPINGS, headers=BEARER)
        await asyncio.sleep(int(answer.headers["retry-after"]))
        assert await _statuses(client, BEARER) == [200]
