"""The brake: guessing is slowed, then refused, and nobody else notices."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from originmap import bootstrap
from originmap.domain.access.errors import AccessError, TooManyFailures, UnknownToken
from originmap.service import initial_data as setup
from originmap.service.access.brake import DELAY_SECONDS, REFUSED_AFTER, SLOWED_AFTER, Brake
from originmap.settings import Settings
from tests.api.application import BEARER, MAPPINGS, client_of
from tests.service.test_rate_limiter import Clock

ERROR = UnknownToken()
BAD = {"Authorization": "Bearer unknown"}
PAIR = {"X-Auth-Email": setup.DEV_EMAIL, "X-Auth-Key": setup.DEV_KEY}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _fail(brake: Brake, times: int, client: str = "192.0.2.1") -> list[AccessError]:
    return [brake.failed(client, ERROR) for _ in range(times)]


def _refused(errors: list[AccessError]) -> int:
    return sum(isinstance(error, TooManyFailures) for error in errors)


def test_the_first_hundred_failures_in_a_minute_get_the_reason(clock: Clock) -> None:
    assert (REFUSED_AFTER.limit, REFUSED_AFTER.seconds) == (100, 60)
    assert _fail(Brake(clock), 100) == [ERROR] * 100


@pytest.mark.proves("D-38")
def test_each_further_failure_is_refused_for_a_minute(clock: Clock) -> None:
    brake = Brake(clock)
    assert _refused(_fail(brake, 150)) == 50
    clock.seconds = 59.9
    assert _refused(_fail(brake, 1)) == 1
    clock.seconds = 60
    assert _refused(_fail(brake, 100)) == 0


def test_a_hundred_failures_a_minute_can_go_on(clock: Clock) -> None:
    brake = Brake(clock)
    for minute in range(5):
        clock.seconds = minute * 60
        assert _refused(_fail(brake, 100)) == 0


def test_other_addresses_are_untouched(clock: Clock) -> None:
    brake = Brake(clock)
    _fail(brake, 200)
    assert _refused(_fail(brake, 1, "192.0.2.2")) == 0
    assert brake.delay("192.0.2.2") == 0


def test_failures_are_slowed_after_the_twentieth_and_until_the_minute_ends(clock: Clock) -> None:
    brake = Brake(clock)
    _fail(brake, SLOWED_AFTER)
    assert brake.delay("192.0.2.1") == 0
    _fail(brake, 1)
    assert brake.delay("192.0.2.1") == DELAY_SECONDS
    clock.seconds = 60
    assert brake.delay("192.0.2.1") == 0


def test_a_disabled_limit_on_failed_logins_counts_nothing(clock: Clock) -> None:
    brake = Brake(clock, enabled=False)
    assert _fail(brake, 1000) == [ERROR] * 1000
    assert brake.delay("192.0.2.1") == 0


def test_however_many_addresses_fail_only_so_many_are_kept(clock: Clock) -> None:
    brake = Brake(clock, at_most=10)
    for n in range(1000):
        _fail(brake, SLOWED_AFTER + 1, f"address {n}")
    assert sum(brake.delay(f"address {n}") > 0 for n in range(1000)) <= 10


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Of a server that slows guessing down, as one for real use."""
    async with (
        bootstrap.open_store(bootstrap.MEMORY, setup.prepare_dev) as opened,
        client_of(opened, settings=Settings()) as client,
    ):
        yield client


@pytest.mark.proves("P-AUTH-11", "D-38")
async def test_guessing_ends_in_10502_and_good_credentials_go_on(
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


async def test_good_credentials_and_missing_rights_do_not_count(
    client: httpx.AsyncClient,
) -> None:
    for _ in range(120):
        assert (await client.get(MAPPINGS, headers=BEARER)).status_code == 200
        assert (await client.get(MAPPINGS)).status_code == 400
    assert await _guess(client, 1) == [401]


async def _guess(client: httpx.AsyncClient, times: int) -> list[int]:
    """Statuses in order; all at once, because answers to guesses are slow."""
    answers = await asyncio.gather(*(client.get(MAPPINGS, headers=BAD) for _ in range(times)))
    return sorted(answer.status_code for answer in answers)
