"""The rate limit: no request exceeds it, and a client that would wait too long gets a 429."""

import asyncio
import math
from pathlib import Path

import httpx
import pytest

from originmap.domain.errors import RateLimited
from originmap.proxy.budget import RequestBudget, RequestPace
from tests.faulty import Proxy, refuse
from tests.process import BEARER
from tests.proxy.callers import at_once, one, put
from tests.proxy.process import ProxyProcess
from tests.proxy.test_writes import FIVE


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def credential(clock: Clock) -> RequestBudget:
    return RequestBudget(clock)


def left(requests: int, seconds: int) -> dict[str, str]:
    return {"ratelimit": f'"default";r={requests};t={seconds}'}


def test_an_api_without_a_rate_limit_is_not_paced(credential: RequestBudget) -> None:
    credential.in_flight = 500
    credential.note({})
    assert credential.delay() == 0


def test_without_remaining_quota_a_request_waits_for_the_renewal(
    credential: RequestBudget, clock: Clock
) -> None:
    credential.note(left(0, 120))
    assert credential.delay() == 120
    clock.seconds += 119
    assert credential.delay() == 1


def test_requests_in_flight_count_as_made(credential: RequestBudget) -> None:
    credential.note(left(5, 120))
    credential.in_flight = 4
    assert credential.delay() == 0
    credential.in_flight = 5
    assert math.isinf(credential.delay())


def test_reordered_responses_add_no_quota(credential: RequestBudget) -> None:
    credential.note(left(3, 120))
    credential.note(left(8, 120))
    credential.in_flight = 3
    assert credential.delay() > 0


def test_after_the_renewal_one_request_reads_the_new_quota(
    credential: RequestBudget, clock: Clock
) -> None:
    credential.note(left(0, 120))
    clock.seconds += 121
    assert credential.delay() == 0
    credential.in_flight = 1
    assert math.isinf(credential.delay())
    credential.note(left(1199, 300))
    assert credential.delay() == 0


def test_a_response_without_rate_limit_headers_does_not_stop_requests(
    credential: RequestBudget, clock: Clock
) -> None:
    credential.note(left(0, 1))
    clock.seconds += 2
    for _ in range(3):
        assert credential.delay() == 0
        credential.in_flight = 1
        credential.note({})
        credential.in_flight = 0


def test_a_429_blocks_for_its_retry_after(credential: RequestBudget, clock: Clock) -> None:
    credential.block(300)
    credential.note(left(100, 300))
    assert credential.delay() == 300
    clock.seconds += 300
    assert credential.delay() == 0
    assert credential.block(None) == 5


def test_of_several_quotas_the_smallest_is_used(credential: RequestBudget) -> None:
    credential.note({"ratelimit": '"default";r=900;t=200, "burst";r=0;t=3'})
    assert credential.delay() == 3


async def test_a_request_that_would_wait_too_long_is_refused_immediately() -> None:
    pace = RequestPace()
    credential = pace.budget(b"x")
    credential.block(300)
    with pytest.raises(RateLimited) as caught:
        await pace.take(credential, asyncio.get_running_loop().time() + 299)
    assert caught.value.retry_after == 300


async def test_a_stopped_pace_refuses_waiting_requests() -> None:
    pace = RequestPace()
    credential = pace.budget(b"x")
    credential.block(300)
    deadline = asyncio.get_running_loop().time() + 900
    waiting = [asyncio.create_task(pace.take(credential, deadline)) for _ in range(3)]
    await asyncio.sleep(0)
    pace.stop()
    refused = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in refused] == [RateLimited] * 3


async def test_each_credential_waits_only_for_its_own_quota() -> None:
    pace = RequestPace()
    pace.budget(b"x").block(300)
    await pace.take(pace.budget(b"y"), 0)
    assert pace.budget(b"y").in_flight == 1


async def test_the_number_of_budgets_in_memory_is_limited() -> None:
    pace = RequestPace(at_most=2)
    first = pace.budget(b"1")
    for name in (b"2", b"3"):
        pace.budget(name)
    assert pace.budget(b"1") is not first


async def test_a_client_that_cannot_wait_gets_the_429_of_the_api(
    api: Proxy, tmp_path: Path
) -> None:
    with ProxyProcess(api.api, tmp_path, ["--wait", "0.5"]) as impatient:
        api.faults = lambda number, seen: refuse(429, 971, Retry_After="300", X_Own="1")
        first = await one(impatient, put(FIVE[0]))
        assert (first.status, first.headers["x-own"]) == (429, "1")
        held = await at_once(impatient, *map(put, FIVE))
        assert {answer.status for answer in held} == {429}
        assert {answer.json()["errors"][0]["code"] for answer in held} == {971}
        assert all(int(answer.headers["retry-after"]) > 200 for answer in held)
        assert len(api.seen) == 1
        other = httpx.get(f"{impatient.api}/zones", headers={"x-auth-key": BEARER["Authorization"]})
        assert (other.status_code, len(api.seen)) == (429, 2)


async def test_each_client_of_a_batch_gets_its_429(api: Proxy, tmp_path: Path) -> None:
    with ProxyProcess(api.api, tmp_path, ["--wait", "0.5"]) as impatient:
        api.faults = lambda number, seen: refuse(429, 971, Retry_After="300")
        answers = await at_once(impatient, *map(put, FIVE))
    assert {(answer.status, answer.headers["retry-after"]) for answer in answers} == {(429, "300")}
    assert len(api.seen) == 1


async def test_a_sigterm_ends_the_wait(api: Proxy, tmp_path: Path) -> None:
    with ProxyProcess(api.api, tmp_path) as patient:
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()
        refusal = refuse(429, 971, Retry_After="200")

        def fault(handler: object, body: bytes) -> None:
            refusal(handler, body)
            loop.call_soon_threadsafe(arrived.set)

        api.faults = lambda number, seen: fault
        waiting = asyncio.create_task(one(patient, put(FIVE[0])))
        await arrived.wait()
        patient.process.terminate()
        assert (await waiting).status == 429
