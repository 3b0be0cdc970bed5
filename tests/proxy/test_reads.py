"""Reads from a list: complete, for one credential, and not after a write."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.faulty import Fault, Handler, Proxy, Seen, cut_before, gibberish, refuse
from tests.process import EMAIL, KEY, ZONE
from tests.proxy.callers import PATH, Sent, at_once, entry, get, one, over, put
from tests.proxy.process import ProxyProcess

MANY = [f"198.51.100.{number}" for number in range(250)]
BY_KEY = {"x-auth-email": EMAIL, "x-auth-key": KEY}
UNKNOWN = {"authorization": "Bearer " + "x" * 40}


@pytest.fixture
def filled(api: Proxy, direct: httpx.Client) -> Proxy:
    """The API with 250 mappings, three pages."""
    for start in range(0, len(MANY), 100):
        body = [entry(address) for address in MANY[start : start + 100]]
        direct.put(f"{PATH}/batch", json=body).raise_for_status()
    return api


def pages(api: Proxy) -> int:
    return sum("?page=" in seen.path for seen in api.seen)


def forwarded(api: Proxy) -> int:
    return sum(seen.path.startswith(f"/client/v4{PATH}/") for seen in api.seen)


def on_pages(*numbers: int, fault: Fault, times: int = 1000) -> Callable[[int, Seen], Fault | None]:
    """A fault for these pages of the list, for a number of requests."""
    left = [times]

    def faults(number: int, seen: Seen) -> Fault | None:
        if left[0] and any(f"?page={page}&" in seen.path for page in numbers):
            left[0] -= 1
            return fault
        return None

    return faults


def changed(**members: Any) -> Fault:
    """A page with other members in its result_info."""

    def fault(handler: Handler, body: bytes) -> None:
        answer = handler.forward(body)
        page = answer.json()
        page["result_info"] |= members
        handler.send(200, json.dumps(page).encode(), {"Content-Type": "application/json"})

    return fault


async def test_a_response_from_the_list_equals_that_of_the_api(
    proxy: ProxyProcess, filled: Proxy, direct: httpx.Client
) -> None:
    answers = await over(5, proxy, MANY, get)
    for address in MANY[::50]:
        assert answers[address].body == direct.get(f"{PATH}/{address}").content
    assert {answer.headers["content-type"] for answer in answers.values()} == {"application/json"}
    assert (pages(filled), forwarded(filled)) == (3, 2)


async def test_the_first_two_reads_are_forwarded(proxy: ProxyProcess, filled: Proxy) -> None:
    await over(1, proxy, MANY[:2], get)
    assert (pages(filled), forwarded(filled)) == (0, 2)


async def test_two_spellings_of_an_address_are_one_address(
    proxy: ProxyProcess, filled: Proxy, direct: httpx.Client
) -> None:
    direct.put(put("2001:db8::1").path, json=entry("2001:db8::1"))
    await over(1, proxy, MANY[:3], get)
    spellings = ["2001:db8::1", "2001:DB8:0:0::1", "2001%3Adb8%3A%3A1"]
    answers = await over(3, proxy, spellings, get)
    assert {answer.result["origin_ip"] for answer in answers.values()} == {"2001:db8::1"}
    assert forwarded(filled) == 2


async def test_the_error_for_a_missing_mapping_comes_from_the_api(
    proxy: ProxyProcess, filled: Proxy, direct: httpx.Client
) -> None:
    await over(1, proxy, MANY[:3], get)
    for address in ("203.0.113.9", "no-address", "192.0.2.1%2F24"):
        alone, answer = direct.get(f"{PATH}/{address}"), await one(proxy, get(address))
        assert (answer.status, answer.body) == (alone.status_code, alone.content)
        assert answer.status in (400, 404)


async def test_the_list_of_an_empty_zone_is_used(proxy: ProxyProcess, api: Proxy) -> None:
    answers = await over(5, proxy, MANY[:5], get)
    assert {answer.status for answer in answers.values()} == {404}
    assert (pages(api), forwarded(api)) == (1, 5)


async def test_null_is_accepted_as_an_empty_list(proxy: ProxyProcess, api: Proxy) -> None:
    def null(handler: Handler, body: bytes) -> None:
        page = {"success": True, "errors": None, "result": None, "result_info": {"total_count": 0}}
        handler.send(200, json.dumps(page).encode(), {})

    api.faults = on_pages(1, fault=null)
    answers = await over(5, proxy, MANY[:5], get)
    assert {answer.status for answer in answers.values()} == {404}
    assert pages(api) == 1


async def test_the_list_is_not_used_for_another_credential(
    proxy: ProxyProcess, filled: Proxy, direct: httpx.Client
) -> None:
    await over(5, proxy, MANY, get)
    filled.seen.clear()
    for headers in (UNKNOWN, {}, {"authorization": ""}, {"x-auth-email": EMAIL}):
        answers = await over(3, proxy, MANY[:5], lambda a, h=headers: get(a)._replace(headers=h))
        assert {answer.status for answer in answers.values()} <= {400, 401}
    by_key = await over(3, proxy, MANY[:5], lambda a: get(a)._replace(headers=BY_KEY))
    assert {answer.status for answer in by_key.values()} == {200}
    assert pages(filled) >= 3


async def test_a_write_with_any_credential_invalidates_the_list(
    proxy: ProxyProcess, filled: Proxy
) -> None:
    west = put(MANY[0], "us-west-2")
    for write in (
        west,
        west._replace(headers=BY_KEY),
        Sent("PUT", f"{PATH}/batch", json.dumps([entry(MANY[0], "us-west-1")]).encode()),
        Sent("DELETE", f"/zones/{ZONE}/cache/origin_cloud_regions/{MANY[1]}"),
    ):
        await over(1, proxy, MANY[:3], get)
        filled.seen.clear()
        await one(proxy, write)
        await over(1, proxy, MANY[:3], get)
        assert forwarded(filled) >= 2
        assert pages(filled) == 3


async def test_a_list_that_changes_while_it_is_read_is_read_again(
    proxy: ProxyProcess, filled: Proxy
) -> None:
    filled.faults = on_pages(2, fault=changed(total_count=251), times=1)
    answers = await over(5, proxy, MANY, get)
    assert {answer.status for answer in answers.values()} == {200}
    assert (pages(filled), forwarded(filled)) == (6, 2)


@pytest.mark.parametrize(
    "unusable",
    [
        changed(total_count=251),
        changed(total_count=None),
        changed(total_count=3501),
        gibberish(200),
    ],
    ids=["never steady", "no total", "too long", "another form"],
)
async def test_reads_are_forwarded_if_the_list_cannot_be_used(
    proxy: ProxyProcess, filled: Proxy, unusable: Fault
) -> None:
    filled.faults = on_pages(1, fault=unusable)
    answers = await over(5, proxy, MANY[:50], get)
    assert {answer.status for answer in answers.values()} == {200}
    assert forwarded(filled) == 50
    assert pages(filled) <= 9


@pytest.mark.parametrize(("status", "code"), [(500, 1140), (520, 1000)])
async def test_an_error_of_the_list_is_returned_to_each_waiting_reader(
    proxy: ProxyProcess, filled: Proxy, status: int, code: int
) -> None:
    await over(1, proxy, MANY[:2], get)
    filled.faults = on_pages(3, fault=refuse(status, code), times=1)
    answers = await at_once(proxy, *map(get, MANY[:5]))
    assert {answer.status for answer in answers} == {status}
    assert {answer.json()["errors"][0]["code"] for answer in answers} == {code}
    assert (await one(proxy, get(MANY[0]))).status == 200


async def test_other_errors_of_the_list_cause_forwarded_reads(
    proxy: ProxyProcess, filled: Proxy
) -> None:
    filled.faults = on_pages(1, fault=refuse(403, 10000))
    answers = await over(5, proxy, MANY[:20], get)
    assert {answer.status for answer in answers.values()} == {200}
    assert (pages(filled), forwarded(filled)) == (1, 20)


async def test_a_page_without_a_response_is_requested_again(
    proxy: ProxyProcess, filled: Proxy
) -> None:
    filled.faults = on_pages(2, fault=cut_before, times=1)
    answers = await over(5, proxy, MANY, get)
    assert {answer.status for answer in answers.values()} == {200}
    assert pages(filled) == 4


async def test_an_unreachable_api_is_reported_to_each_reader(
    proxy: ProxyProcess, filled: Proxy
) -> None:
    await over(1, proxy, MANY[:2], get)
    filled.faults = lambda number, seen: cut_before
    answers = await at_once(proxy, *map(get, MANY[:5]))
    assert {(answer.status, answer.json()["errors"][0]["code"]) for answer in answers} == {
        (502, 10504)
    }


async def test_a_list_is_not_used_after_its_lifetime(
    filled: Proxy, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with ProxyProcess(filled.api, tmp_path_factory.mktemp("brief"), ["--fresh", "0.5"]) as brief:
        await over(1, brief, MANY[:5], get)
        filled.seen.clear()
        await asyncio.sleep(0.6)
        await over(1, brief, MANY[:2], get)
    assert (pages(filled), forwarded(filled)) == (0, 2)


async def test_with_a_lifetime_of_zero_every_read_is_forwarded(
    filled: Proxy, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with ProxyProcess(filled.api, tmp_path_factory.mktemp("never"), ["--fresh", "0"]) as never:
        await over(2, never, MANY[:6], get)
    assert (pages(filled), forwarded(filled)) == (0, 6)
