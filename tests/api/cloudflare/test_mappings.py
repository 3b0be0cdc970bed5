"""The seven operations as a client sees them: statuses, codes, and exact texts."""

import datetime
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from originmap.domain.mapping.mapping import MAX_MAPPINGS
from tests.api.application import MAPPINGS, dev_client

INVALID = (400, 1146, "Invalid or missing origin IP address.")
MISSING = (404, 1142, "Unable to retrieve origin_public_cloud_region setting value. "
           "The zone setting does not exist.")  # fmt: skip
UNKNOWN = (400, 1157, "The vendor provided doesn't exist or the region provided does not exist "
           "for the specified cloud vendor")  # fmt: skip
MALFORMED = (400, 6007, "Malformed JSON in request body")
BATCH = (400, 1146, "batch must be an array of 1 to 100 items")
FULL = (403, 1164, "Maximum number of IP mappings configured for zone.")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with dev_client() as client:
        yield client


def _item(ip: str, vendor: str = "aws", region: str = "us-east-1") -> dict[str, str]:
    return {"origin_ip": ip, "vendor": vendor, "region": region}


async def _put(client: httpx.AsyncClient, ip: str, **place: str) -> httpx.Response:
    return await client.put(f"{MAPPINGS}/{ip}", json=_item(ip, **place))


async def _batch_put(client: httpx.AsyncClient, items: Any) -> httpx.Response:
    return await client.put(f"{MAPPINGS}/batch", json=items)


async def _batch_delete(client: httpx.AsyncClient, items: Any) -> httpx.Response:
    return await client.request("DELETE", f"{MAPPINGS}/batch", json=items)


def _error(answer: httpx.Response) -> tuple[int, int, str]:
    body = answer.json()
    assert (body["success"], body["result"], body["messages"]) == (False, None, [])
    (error,) = body["errors"]
    return answer.status_code, error["code"], error["message"]


def _result(answer: httpx.Response) -> Any:
    body = answer.json()
    assert answer.status_code == 200, body
    assert (body["success"], body["errors"], body["messages"]) == (True, [], [])
    return body["result"]


@pytest.mark.proves("P-GEN-1", "P-GEN-2", "P-GEN-3", "P-GEN-8", "P-GEN-10", "P-GET-1", "P-GET-2")
@pytest.mark.proves("P-PUT-1", "P-DEL-1", "P-DEL-2", "D-1")
async def test_put_get_and_delete_have_the_published_form(client: httpx.AsyncClient) -> None:
    made = _result(await _put(client, "192.0.2.1"))
    assert made == {**_item("192.0.2.1"), "modified_on": made["modified_on"]}
    assert _result(await client.get(f"{MAPPINGS}/192.0.2.1")) == made
    assert _result(await client.delete(f"{MAPPINGS}/192.0.2.1")) == {"origin_ip": "192.0.2.1"}
    assert _error(await client.get(f"{MAPPINGS}/192.0.2.1")) == MISSING
    assert _error(await client.delete(f"{MAPPINGS}/192.0.2.1")) == MISSING


@pytest.mark.proves("D-20")
async def test_modified_on_is_rfc_3339_in_utc_with_microseconds(client: httpx.AsyncClient) -> None:
    stamp = _result(await _put(client, "192.0.2.1"))["modified_on"]
    parsed = datetime.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.UTC)
    assert abs(parsed - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(minutes=1)


@pytest.mark.proves("P-PUT-2", "D-9")
async def test_an_identical_put_changes_nothing(client: httpx.AsyncClient) -> None:
    first = _result(await _put(client, "192.0.2.1"))
    assert _result(await _put(client, "192.0.2.1")) == first
    other = _result(await _put(client, "192.0.2.1", region="us-west-2"))
    assert other["modified_on"] > first["modified_on"]


@pytest.mark.proves("P-GEN-5", "P-GEN-7", "D-10", "D-12")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("2001:DB8::1", "2001:db8:0::1"),
        ("2001%3Adb8%3A%3A1", "2001:0DB8::0001"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
async def test_path_and_body_match_in_any_spelling(
    client: httpx.AsyncClient, path: str, body: str
) -> None:
    answer = await client.put(f"{MAPPINGS}/{path}", json=_item(body))
    assert _result(answer)["origin_ip"] in {"2001:db8::1", "192.0.2.1"}


@pytest.mark.proves("P-PUT-3")
async def test_path_and_body_with_different_addresses_are_refused(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.put(f"{MAPPINGS}/192.0.2.1", json=_item("192.0.2.2"))
    assert _error(answer) == (400, 1146, "body origin_ip does not match URL")


@pytest.mark.proves("D-4", "D-13", "D-34")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "ip", ["nonsense", "0.0.0.0", "fe80::1%25eth0", "192.0.2.1%2F24", "01.2.3.4"]
)
async def test_an_invalid_address_in_the_path_is_refused(
    client: httpx.AsyncClient, method: str, ip: str
) -> None:
    answer = await client.request(method, f"{MAPPINGS}/{ip}", json=_item("192.0.2.1"))
    assert _error(answer) == INVALID


@pytest.mark.proves("P-PUT-4", "P-PUT-6", "P-ROUTE-3", "D-2", "D-11", "D-18", "D-40")
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", MALFORMED),
        (b'{"origin_ip":"\xff"}', MALFORMED),
        (b"\xef\xbb\xbf{}", MALFORMED),
        (b'{"origin_ip":"192.0.2.1","vendor":NaN}', MALFORMED),
        (b"[" * 100_000, MALFORMED),
        (b'{"origin_ip":"192.0.2.1"} trailing', MALFORMED),
        (b'{"origin_ip":7,"vendor":"aws", oops}', MALFORMED),
        (b"", INVALID),
        (b"null", INVALID),
        (b"[]", INVALID),
        (b'"192.0.2.1"', INVALID),
        (b"{}", INVALID),
        (b'{"origin_ip":null,"vendor":"aws","region":"us-east-1"}', INVALID),
        (b'{"origin_ip":"x","vendor":"aws","region":"us-east-1"}', INVALID),
        (b'{"origin_ip":"192.0.2.1"}', UNKNOWN),
        (b'{"origin_ip":"192.0.2.1","vendor":"aws"}', UNKNOWN),
        (b'{"origin_ip":"192.0.2.2","vendor":"aws"}', UNKNOWN),
        (b'{"origin_ip":"x","vendor":"aws"}', INVALID),
        (b'{"origin_ip":"192.0.2.1","vendor":"aws","region":1}', UNKNOWN),
        (b'{"origin_ip":"192.0.2.1","vendor":"AWS","region":"us-east-1"}', UNKNOWN),
        (b'{"origin_ip":"192.0.2.1","vendor":"gcp","region":"us-east-1"}', UNKNOWN),
        (
            b'{"origin_ip":"192.0.2.2","vendor":"nowhere","region":"x"}',
            (400, 1146, "body origin_ip does not match URL"),
        ),
    ],
)
async def test_invalid_bodies_are_refused(
    client: httpx.AsyncClient, body: bytes, expected: tuple[int, int, str]
) -> None:
    assert _error(await client.put(f"{MAPPINGS}/192.0.2.1", content=body)) == expected


@pytest.mark.proves("D-18")
async def test_the_last_of_duplicate_members_is_used_and_unknown_ones_are_ignored(
    client: httpx.AsyncClient,
) -> None:
    body = (b'{"origin_ip":7,"vendor":"gcp","region":"x","extra":[1],'
            b'"vendor":"aws","region":"us-east-1","origin_ip":"192.0.2.1"}')  # fmt: skip
    answer = await client.put(f"{MAPPINGS}/192.0.2.1", content=body)
    assert _result(answer)["vendor"] == "aws"


@pytest.mark.proves("P-LIST-1", "P-LIST-2", "D-31")
async def test_pages_have_the_published_info(client: httpx.AsyncClient) -> None:
    items = [_item(f"192.0.2.{n}") for n in range(1, 46)]
    _result(await _batch_put(client, items))
    answer = (await client.get(MAPPINGS)).json()
    assert [entry["origin_ip"] for entry in answer["result"]] == [
        f"192.0.2.{n}" for n in range(1, 21)
    ]
    assert answer["result_info"] == {
        "count": 20, "page": 1, "per_page": 20, "total_count": 45, "total_pages": 3,
    }  # fmt: skip
    last = (await client.get(MAPPINGS, params={"page": 5, "per_page": 10})).json()
    assert (len(last["result"]), last["result_info"]["total_pages"]) == (5, 5)
    past = (await client.get(MAPPINGS, params={"page": 999999999999, "per_page": 100})).json()
    assert (past["result"], past["result_info"]["page"]) == ([], 999999999999)


@pytest.mark.proves("P-LIST-3")
async def test_an_empty_zone_has_no_pages(client: httpx.AsyncClient) -> None:
    answer = (await client.get(MAPPINGS)).json()
    assert answer == {
        "errors": [], "messages": [], "result": [], "success": True,
        "result_info": {"count": 0, "page": 1, "per_page": 20, "total_count": 0, "total_pages": 0},
    }  # fmt: skip


@pytest.mark.proves("P-LIST-4", "D-2", "D-3")
@pytest.mark.parametrize("value", ["0", "-1", "x", "", "+5", "1.0", " 1", "１"])
async def test_an_invalid_page_number_is_refused(client: httpx.AsyncClient, value: str) -> None:
    for name, text in (
        ("page", "invalid page parameter, must be 1 or more"),
        ("per_page", "invalid per_page parameter, must be between 1 and 100"),
    ):
        answer = await client.get(MAPPINGS, params={name: value})
        assert _error(answer) == (400, 1146, text)


@pytest.mark.proves("P-LIST-1", "P-LIST-4", "D-30")
async def test_per_page_is_limited_to_100_and_unknown_arguments_are_ignored(
    client: httpx.AsyncClient,
) -> None:
    assert _error(await client.get(MAPPINGS, params={"per_page": 101}))[1] == 1146
    answer = await client.get(MAPPINGS, params={"per_page": 100, "order": "ip", "direction": ""})
    assert _result(answer) == []


@pytest.mark.proves("P-BPUT-3", "P-BPUT-4", "D-6", "D-7")
async def test_a_batch_applies_its_valid_items(client: httpx.AsyncClient) -> None:
    items: list[Any] = [
        _item("2001:DB8::1", "gcp", "us-central1"),
        _item("nonsense"),
        _item("192.0.2.1", "aws", "nowhere"),
        7,
        {"vendor": "aws"},
        _item("2001:db8::1"),
        _item("192.0.2.1"),
    ]
    result = _result(await _batch_put(client, items))
    assert result["succeeded"] == [
        _item("2001:db8::1", "gcp", "us-central1"), _item("192.0.2.1"),
    ]  # fmt: skip
    assert result["failed"] == [
        {"origin_ip": "nonsense", "error": INVALID[2]},
        {"origin_ip": "192.0.2.1", "error": UNKNOWN[2]},
        {"origin_ip": "", "error": INVALID[2]},
        {"origin_ip": "", "error": INVALID[2]},
        {"origin_ip": "2001:db8::1", "error": "duplicate origin IP address in this batch"},
    ]


async def test_a_batch_without_a_valid_item_has_status_200(client: httpx.AsyncClient) -> None:
    assert _result(await _batch_put(client, [_item("x")]))["succeeded"] == []


@pytest.mark.proves("P-BPUT-1", "D-20")
async def test_a_batch_has_one_modified_on(client: httpx.AsyncClient) -> None:
    _result(await _batch_put(client, [_item(f"192.0.2.{n}") for n in range(1, 101)]))
    listed = _result(await client.get(MAPPINGS, params={"per_page": 100}))
    assert len({entry["modified_on"] for entry in listed}) == 1


@pytest.mark.proves("D-5")
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'"192.0.2.1"', b"7"])
async def test_batches_that_are_not_an_array_of_items_are_refused(
    client: httpx.AsyncClient, body: bytes
) -> None:
    _result(await _put(client, "192.0.2.1"))
    for method in ("PUT", "DELETE"):
        answer = await client.request(method, f"{MAPPINGS}/batch", content=body)
        assert _error(answer) == BATCH
    assert len(_result(await client.get(MAPPINGS))) == 1


@pytest.mark.proves("P-BPUT-1", "P-BDEL-1", "D-5")
async def test_a_batch_of_101_is_refused(client: httpx.AsyncClient) -> None:
    ips = [f"192.0.2.{n}" for n in range(101)]
    assert _error(await _batch_put(client, [_item(ip) for ip in ips])) == BATCH
    assert _error(await _batch_put(client, [{}] * 101)) == BATCH
    assert _error(await _batch_delete(client, ips)) == BATCH


@pytest.mark.proves("P-ROUTE-3")
async def test_a_batch_that_is_not_json_is_refused(client: httpx.AsyncClient) -> None:
    for method in ("PUT", "DELETE"):
        answer = await client.request(method, f"{MAPPINGS}/batch", content=b'["192.0.2.1"')
        assert _error(answer) == MALFORMED


@pytest.mark.proves("P-BDEL-1", "P-BDEL-2", "P-BDEL-3")
async def test_a_batch_delete_returns_the_deleted_mappings(client: httpx.AsyncClient) -> None:
    await _put(client, "192.0.2.1")
    await _put(client, "2001:db8::1", vendor="gcp", region="us-central1")
    ips = ["2001:DB8::1", "192.0.2.1", "192.0.2.1", "192.0.2.7", "x", 5]
    result = _result(await _batch_delete(client, ips))
    assert result["succeeded"] == [
        _item("2001:db8::1", "gcp", "us-central1"), _item("192.0.2.1"),
    ]  # fmt: skip
    assert result["failed"] == [
        {"origin_ip": "192.0.2.1", "error": "duplicate origin IP address in this batch"},
        {"origin_ip": "192.0.2.7", "error": MISSING[2]},
        {"origin_ip": "x", "error": INVALID[2]},
        {"origin_ip": "", "error": INVALID[2]},
    ]


@pytest.mark.proves("P-PUT-5", "D-8")
async def test_the_limit_holds_for_single_puts_and_batches(client: httpx.AsyncClient) -> None:
    ips = [f"10.0.{n // 250}.{n % 250}" for n in range(MAX_MAPPINGS)]
    for start in range(0, MAX_MAPPINGS, 100):
        _result(await _batch_put(client, [_item(ip) for ip in ips[start : start + 100]]))
    assert _error(await _put(client, "192.0.2.1")) == FULL
    crossing = [_item("10.0.0.1", region="us-west-2"), _item("192.0.2.1")]
    assert _error(await _batch_put(client, crossing)) == FULL
    assert _result(await client.get(f"{MAPPINGS}/10.0.0.1"))["region"] == "us-east-1"
    assert _result(await _put(client, "10.0.0.1", region="us-west-2"))["region"] == "us-west-2"
    assert _result(await _batch_put(client, crossing[:1]))["failed"] == []
    await client.delete(f"{MAPPINGS}/10.0.0.1")
    _result(await _put(client, "192.0.2.1"))


@pytest.mark.proves("P-GEN-9", "P-SUP-1", "P-SUP-3")
async def test_supported_regions_lists_the_catalogue(client: httpx.AsyncClient) -> None:
    result = _result(await client.get(f"{MAPPINGS}/supported_regions"))
    assert result["obtained_codes"] is True
    assert sorted(result["vendors"]) == ["aws", "azure", "gcp", "oci"]
    tiers = {
        (vendor, region["name"]): region["upper_tier_colos"]
        for vendor, regions in result["vendors"].items()
        for region in regions
    }
    assert tiers["aws", "us-east-1"] == ["IAD", "EWR"]
    assert tiers["aws", "us-west-2"][0] == "SEA"
    assert tiers["gcp", "us-central1"][0] == "ORD"


@pytest.mark.proves("P-GEN-6")
async def test_literal_segments_win_over_addresses(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{MAPPINGS}/batch")
    assert _error(answer) == (405, 7001, "Method GET not available for that URI.")
    assert answer.headers["allow"] == "PUT, DELETE"
    answer = await client.put(f"{MAPPINGS}/supported_regions", json=_item("192.0.2.1"))
    assert answer.headers["allow"] == "GET, HEAD"
