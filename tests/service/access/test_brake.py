"""Limits on failed authentications: failures are delayed, then rejected, and valid credentials
work."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from originmap import bootstrap
from originmap.domain.access.errors import AccessError, TooManyFailures, UnknownToken
from originmap.service import initial_data
from originmap.service.access.brake import DELAY_SECONDS, REFUSED_AFTER, SLOWED_AFTER, Brake
from originmap.settings import Settings
from tests.api.application import BEARER, MAPPINGS, client_of
from tests.service.access.test_rate_limiter import Clock

ERROR = UnknownToken()
BAD = {"Authorization": "Bearer unknown"}
PAIR = {"X-Auth-Email": initial_data.DEV_EMAIL, "X-Auth-Key": initial_data.DEV_KEY}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _fail(brake: Brake, times: int, client: str = "192.0.2.1") -> list[AccessError]:
    return [brake.failed(client, ERROR) for _ in range(times)]


def _refused(errors: list[AccessError]) -> int:
    return sum(isinstance(error, TooManyFailures) for error in errors)


def test_a_hundred_failures_a_minute_get_their_own_error(clock: Clock) -> None:
    assert (REFUSED_AFTER.limit, REFUSED_AFTER.seconds) == (100, 60)
    assert _fail(Brake(clock), 100) == [ERROR] * 100


@pytest.mark.proves("D-38")
def test_further_failures_are_rejected_for_a_minute(clock: Clock) -> None:
    brake = Brake(clock)
    assert _refused(_fail(brake, 150)) == 50
    clock.seconds = 59.9
    assert _refused(_fail(brake, 1)) == 1
    clock.seconds = 60
    assert _refused(_fail(brake, 100)) == 0


def test_a_hundred_failures_every_minute_are_never_rejected(clock: Clock) -> None:
    brake = Brake(clock)
    for minute in range(5):
        clock.seconds = minute * 60
        assert _refused(_fail(brake, 100)) == 0


def test_other_addresses_are_not_affected(clock: Clock) -> None:
    brake = Brake(clock)
    _fail(brake, 200)
    assert _refused(_fail(brake, 1, "192.0.2.2")) == 0
    assert brake.delay("192.0.2.2") == 0


def test_failures_are_delayed_from_the_twenty_first_until_the_minute_ends(clock: Clock) -> None:
    brake = Brake(clock)
    _fail(brake, SLOWED_AFTER)
    assert brake.delay("192.0.2.1") == 0
    _fail(brake, 1)
    assert brake.delay("192.0.2.1") == DELAY_SECONDS
    clock.seconds = 60
    assert brake.delay("192.0.2.1") == 0


def test_a_disabled_brake_counts_nothing(clock: Clock) -> None:
    brake = Brake(clock, enabled=False)
    assert _fail(brake, 1000) == [ERROR] * 1000
    assert brake.delay("192.0.2.1") == 0


def test_the_number_of_addresses_in_memory_is_limited(clock: Clock) -> None:
    brake = Brake(clock, at_most=10)
    for n in range(1000):
        _fail(brake, SLOWED_AFTER + 1, f"address {n}")
    assert sum(brake.delay(f"address {n}") > 0 for n in range(1000)) <= 10


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with limits, as in production."""
    async with (
        bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened,
        client_of(opened, settings=Settings()) as client,
    ):
        yield client


@pytest.mark.proves("P-AUTH-11", "D-38")
async def test_too_many_failures_get_10502_and_valid_credentials_still_work(
    client: httpx.AsyncClient,
) -> None:
    assert await _guess(client, 101) == [401] * 100 + [429]
    refused = await client.get(MAPPINGS, headers=BAD)
    assert refused.json()["errors"] == [
        {"code": 10502, "message": "Too many authentication failures"}
    ]
    assert refused.headers["retry-after"] == "60"
    wrong_key = await client.get(MAPPINGS, headers={**PAIR, "X-Auth-Key": "k" * 32})
    assert wrong_key.status_code == 429
    for good in (BEARER, PAIR):
        assert (await client.get(MAPPINGS, headers=good)).status_code == 200
    for says_nothing in ({}, {"Authorization": "Bearer a b"}):
        assert (await client.get(MAPPINGS, headers=says_nothing)).status_code == 400


async def test_valid_credentials_and_requests_without_credentials_do_not_count(
    client: httpx.AsyncClient,
) -> None:
    for _ in range(120):
        assert (await client.get(MAPPINGS, headers=BEARER)).status_code == 200
        assert (await client.get(MAPPINGS)).status_code == 400
    assert await _guess(client, 1) == [401]


async def _guess(client: httpx.AsyncClient, times: int) -> list[int]:
    """Send bad credentials, concurrently because the responses are delayed; return the statuses in
    order."""
    answers = await asyncio.gather(*(client.get(MAPPINGS, headers=BAD) for _ in range(times)))
    return sorted(answer.status_code for answer in answers)
