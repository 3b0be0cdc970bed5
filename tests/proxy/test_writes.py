"""Writes in batches: each client gets the same outcome as from a single call."""

import asyncio
import json
import threading

import httpx
import pytest

from tests.faulty import Fault, Handler, Proxy, Seen, cut_after, gibberish, refuse
from tests.process import TOKEN
from tests.proxy.callers import PATH, Sent, at_once, delete, get, over, put
from tests.proxy.conftest import listed
from tests.proxy.process import ProxyProcess

FIVE = [f"192.0.2.{number}" for number in range(1, 6)]
BATCH = f"/client/v4{PATH}/batch"


def batches(api: Proxy) -> list[Seen]:
    return [seen for seen in api.seen if seen.path == BATCH]


def singles(api: Proxy) -> list[Seen]:
    return [seen for seen in api.seen if seen.writes and seen.path != BATCH]


async def refused_connections(proxy: ProxyProcess) -> None:
    """Wait until it no longer listens."""
    host, _, port = proxy.url.removeprefix("http://").rpartition(":")
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except ConnectionError:
            return
        writer.close()
        await asyncio.sleep(0.02)


def on_batches(fault: Fault, times: int = 1000) -> "Once":
    return Once(fault, times)


class Once:
    """A fault for the first batches."""

    def __init__(self, fault: Fault, times: int) -> None:
        self._fault, self._left = fault, times

    def __call__(self, number: int, seen: Seen) -> Fault | None:
        if seen.path != BATCH or not self._left:
            return None
        self._left -= 1
        return self._fault


def result(succeeded: object, failed: object) -> Fault:
    """The response of a batch without an effect."""
    body = {"success": True, "errors": None, "result": {"succeeded": succeeded, "failed": failed}}
    return lambda handler, _: handler.send(200, json.dumps(body).encode(), {})


async def test_each_response_equals_that_of_a_single_put(
    proxy: ProxyProcess, api: Proxy, direct: httpx.Client
) -> None:
    six = [*FIVE, "2001:DB8::1"]
    answers = await at_once(proxy, *map(put, six))
    for address, answer in zip(six, answers, strict=True):
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.body == direct.get(f"{PATH}/{address}").content
    assert len(batches(api)) == 1


async def test_each_response_equals_that_of_a_single_delete(
    proxy: ProxyProcess, api: Proxy
) -> None:
    await at_once(proxy, *map(put, FIVE))
    answers = await at_once(proxy, *map(delete, FIVE))
    for address, answer in zip(FIVE, answers, strict=True):
        assert answer.body == (
            b'{"errors":[],"messages":[],"result":{"origin_ip":"%b"},"success":true}'
            % address.encode()
        )
    assert len(batches(api)) == 2


async def test_one_or_two_writes_are_forwarded(proxy: ProxyProcess, api: Proxy) -> None:
    answers = await at_once(proxy, *map(put, FIVE[:2]))
    assert all("etag" in answer.headers for answer in answers)
    assert (len(batches(api)), len(singles(api))) == (0, 2)


async def test_a_failed_put_gets_the_error_of_a_single_call(
    proxy: ProxyProcess, api: Proxy, direct: httpx.Client
) -> None:
    bad = put(FIVE[2], "nowhere-1")
    calls = [put(address) for address in FIVE if address != FIVE[2]]
    *good, refused = await at_once(proxy, *calls, bad)
    alone = direct.put(bad.path, content=bad.body)
    assert {answer.status for answer in good} == {200}
    assert (refused.status, refused.body) == (alone.status_code, alone.content)
    assert refused.json()["errors"][0]["code"] == 1157
    assert (len(batches(api)), len(singles(api))) == (1, 1)


async def test_a_failed_delete_gets_the_error_of_a_single_call(
    proxy: ProxyProcess, api: Proxy, direct: httpx.Client
) -> None:
    await over(4, proxy, FIVE[:4], put)
    *good, refused = await at_once(proxy, *map(delete, FIVE))
    alone = direct.delete(f"{PATH}/{FIVE[4]}")
    assert {answer.status for answer in good} == {200}
    assert (refused.status, refused.body) == (404, alone.content)


@pytest.mark.parametrize(
    "broken",
    [
        Sent("PUT", f"{PATH}/{FIVE[0]}", b'{"origin_ip":"192.0.2.9","vendor":"aws","region":"x"}'),
        Sent("PUT", f"{PATH}/{FIVE[0]}", b'{"origin_ip":"192.0.2.1","vendor":"aws"}'),
        Sent("PUT", f"{PATH}/{FIVE[0]}", b'{"origin_ip":"192.0.2.1","vendor":null,"region":"x"}'),
        Sent("PUT", f"{PATH}/{FIVE[0]}", b"{"),
        Sent("PUT", f"{PATH}/192.0.2.300", b"{}"),
        Sent("DELETE", f"{PATH}/192.0.2.300"),
    ],
    ids=lambda sent: f"{sent.method} {sent.body.decode()}",
)
async def test_invalid_writes_are_not_batched(
    proxy: ProxyProcess, api: Proxy, direct: httpx.Client, broken: Sent
) -> None:
    *_, refused = await at_once(proxy, *map(put, FIVE[1:]), broken)
    alone = direct.request(broken.method, broken.path, content=broken.body)
    assert (refused.status, refused.body) == (alone.status_code, alone.content)
    assert refused.status == 400


async def test_writes_to_one_address_are_in_different_batches(
    proxy: ProxyProcess, api: Proxy, direct: httpx.Client
) -> None:
    regions = ["us-east-1", "us-west-2", "eu-west-1"]
    calls = [put("2001:db8::1", region) for region in regions]
    calls += [put("2001:DB8:0::1", "us-west-1"), *map(put, FIVE)]
    answers = await at_once(proxy, *calls)
    assert [answer.result["region"] for answer in answers[:4]] == [*regions, "us-west-1"]
    assert {answer.status for answer in answers} == {200}
    last = max(answers[:4], key=lambda answer: answer.result["modified_on"])
    assert direct.get(f"{PATH}/2001:db8::1").json()["result"] == last.result


async def test_a_conditional_write_is_forwarded(proxy: ProxyProcess, api: Proxy) -> None:
    stale = put(FIVE[0])._replace(
        headers={"authorization": f"Bearer {TOKEN}", "if-match": '"none"'}
    )
    *good, refused = await at_once(proxy, *map(put, FIVE[1:]), stale)
    assert {answer.status for answer in good} == {200}
    assert refused.status == 412


@pytest.mark.parametrize(("status", "code"), [(500, 1140), (503, 1000), (403, 10000), (522, 1)])
async def test_an_error_of_the_batch_is_returned_to_each_client(
    proxy: ProxyProcess, api: Proxy, status: int, code: int
) -> None:
    api.faults = on_batches(refuse(status, code, X_Reason="test"))
    answers = await at_once(proxy, *map(put, FIVE))
    assert {answer.status for answer in answers} == {status}
    assert {answer.headers["x-reason"] for answer in answers} == {"test"}
    assert {answer.json()["errors"][0]["code"] for answer in answers} == {code}
    assert len(api.seen) == 1


@pytest.mark.parametrize(("status", "code"), [(403, 1164), (400, 1146), (404, 7003)])
async def test_a_rejected_batch_is_sent_as_single_requests(
    proxy: ProxyProcess, api: Proxy, status: int, code: int
) -> None:
    api.faults = on_batches(refuse(status, code))
    answers = await at_once(proxy, *map(put, FIVE))
    assert {answer.status for answer in answers} == {200}
    assert (len(batches(api)), len(singles(api))) == (1, 5)


async def test_a_batch_waits_for_the_rate_limit(proxy: ProxyProcess, api: Proxy) -> None:
    api.faults = on_batches(refuse(429, 971, Retry_After="1"), times=1)
    answers = await at_once(proxy, *map(put, FIVE))
    assert {answer.status for answer in answers} == {200}
    assert len(batches(api)) == 2


async def test_a_put_without_a_response_is_sent_again(
    proxy: ProxyProcess, api: Proxy, direct: httpx.Client
) -> None:
    api.faults = on_batches(cut_after, times=1)
    answers = await at_once(proxy, *map(put, FIVE))
    assert [answer.result for answer in answers] == listed(direct)
    assert len(batches(api)) == 2


async def test_a_delete_without_a_response_is_not_sent_again(
    proxy: ProxyProcess, api: Proxy, direct: httpx.Client
) -> None:
    await over(5, proxy, FIVE, put)
    api.seen.clear()
    api.faults = on_batches(cut_after)
    answers = await at_once(proxy, *map(delete, FIVE))
    assert {(answer.status, answer.json()["errors"][0]["code"]) for answer in answers} == {
        (502, 10504)
    }
    assert len(api.seen) == 1
    assert listed(direct) == []


async def test_a_reset_affects_only_the_clients_of_its_batch(
    proxy: ProxyProcess, api: Proxy
) -> None:
    await over(5, proxy, FIVE, put)
    api.faults = on_batches(cut_after)
    *deletions, written = await at_once(proxy, *map(delete, FIVE), put("192.0.2.77"))
    assert {answer.status for answer in deletions} == {502}
    assert written.status == 200


async def test_a_put_that_is_missing_in_the_response_is_sent_singly(
    proxy: ProxyProcess, api: Proxy, direct: httpx.Client
) -> None:
    api.faults = on_batches(result(None, None))
    answers = await at_once(proxy, *map(put, FIVE))
    assert [answer.result for answer in answers] == listed(direct)
    assert len(singles(api)) == 5


async def test_a_delete_that_is_missing_in_the_response_is_reported_as_unknown(
    proxy: ProxyProcess, api: Proxy
) -> None:
    some = [{"origin_ip": FIVE[0]}, {"origin_ip": None, "error": "x"}]
    api.faults = on_batches(result(some[:1], some[1:]))
    answers = await at_once(proxy, *map(delete, FIVE))
    assert [answer.status for answer in answers] == [200, 502, 502, 502, 502]
    assert singles(api) == []


async def test_a_success_with_an_invalid_body_repeats_only_puts(
    proxy: ProxyProcess, api: Proxy
) -> None:
    api.faults = on_batches(gibberish(200))
    written = await at_once(proxy, *map(put, FIVE))
    assert {answer.status for answer in written} == {200}
    deleted = await at_once(proxy, *map(delete, FIVE))
    assert {answer.status for answer in deleted} == {502}
    assert [seen.method for seen in singles(api)] == ["PUT"] * 5


async def test_the_time_of_a_batch_response_is_used(proxy: ProxyProcess, api: Proxy) -> None:
    moment = "2026-03-01T12:00:00Z"
    items = [
        {"origin_ip": each, "vendor": "aws", "region": "us-east-1", "modified_on": moment}
        for each in FIVE
    ]
    api.faults = on_batches(result(items, []))
    answers = await at_once(proxy, *map(put, FIVE))
    assert {answer.result["modified_on"] for answer in answers} == {moment}
    assert len(api.seen) == 1


async def test_puts_without_a_change_keep_their_times(
    proxy: ProxyProcess, api: Proxy, direct: httpx.Client
) -> None:
    for address in FIVE:  # each with a different time
        direct.put(put(address).path, content=put(address).body)

    def much_later(handler: Handler, body: bytes) -> None:
        handler.date_time_string = lambda: "Fri, 01 Jan 2100 00:00:00 GMT"
        handler.reply(handler.forward(body))

    api.faults = on_batches(much_later)
    answers = await at_once(proxy, *map(put, FIVE))
    assert [answer.result for answer in answers] == listed(direct)
    assert len(batches(api)) == 1


async def test_a_write_with_an_invalid_time_succeeds(proxy: ProxyProcess, api: Proxy) -> None:
    api.faults = lambda number, seen: refuse(500) if seen.method == "GET" else None
    answers = await at_once(proxy, *map(put, FIVE))
    assert [answer.result for answer in answers] == [
        {"origin_ip": address, "region": "us-east-1", "vendor": "aws"} for address in FIVE
    ]


async def test_a_read_after_a_completed_write_returns_it(proxy: ProxyProcess, api: Proxy) -> None:
    await over(5, proxy, FIVE, put)
    for region in ("us-west-2", "eu-west-1"):
        await over(5, proxy, FIVE * 2, get)
        await at_once(proxy, *(put(address, region) for address in FIVE))
        answers = await over(5, proxy, FIVE, get)
        assert {answer.result["region"] for answer in answers.values()} == {region}


async def test_sigterm_finishes_the_writes_in_flight(
    api: Proxy, tmp_path_factory: pytest.TempPathFactory, direct: httpx.Client
) -> None:
    loop, arrived, stopped = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    with ProxyProcess(api.api, tmp_path_factory.mktemp("stopped")) as stopping:

        def slow(handler: Handler, body: bytes) -> None:
            loop.call_soon_threadsafe(arrived.set)
            stopped.wait(10)
            handler.reply(handler.forward(body))

        api.faults = on_batches(slow)
        writing = asyncio.create_task(at_once(stopping, *map(put, FIVE)))
        await arrived.wait()
        stopping.process.terminate()
        await refused_connections(stopping)
        stopped.set()
        answers = await writing
    assert {answer.status for answer in answers} == {200}
    assert len(listed(direct)) == 5
