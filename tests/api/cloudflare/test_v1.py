"""The eight deprecated operations: their responses and errors, and the common store of both
versions.
"""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from originmap import bootstrap
from originmap.domain.mapping.mapping import MAX_MAPPINGS
from originmap.service import initial_data
from originmap.settings import Settings
from tests.api.answers import error, result
from tests.api.application import BEARER, MAPPINGS, ZONE_URL, client_of, dev_client

V1 = f"{ZONE_URL}/cache/origin_cloud_regions"
V1_PATH = f"/client/v4/zones/{initial_data.DEV_ID}/cache/origin_cloud_regions"
EAST, WEST = {"vendor": "aws", "region": "us-east-1"}, {"vendor": "aws", "region": "us-west-2"}

INVALID = (400, 1146, "Invalid or missing origin IP address.")
BATCH = (400, 1146, "batch must be an array of 1 to 100 items")
MALFORMED = (400, 6007, "Malformed JSON in request body")
FULL = (403, 1164, "Maximum number of IP mappings configured for zone.")
GONE = (404, 1163, "The origin IP has no cloud region mapping.")
MISSING = (404, 1142, "Unable to retrieve origin_public_cloud_region setting value. "
           "The zone setting does not exist.")  # fmt: skip
EXISTS = (400, 1145, "Unable to create new origin_public_cloud_region setting. "
          "The zone setting already exists.")  # fmt: skip
UNKNOWN = (400, 1157, "The vendor provided doesn't exist or the region provided does not exist "
           "for the specified cloud vendor")  # fmt: skip


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with dev_client() as client:
        yield client


def _item(ip: Any, place: dict[str, str] = EAST) -> dict[str, Any]:
    return {"ip": ip, **place}


def _wrapper(value: Any, modified_on: str | None) -> dict[str, Any]:
    return {
        "editable": True, "id": "origin_public_cloud_region", "modified_on": modified_on,
        "value": value,
    }  # fmt: skip


async def _make(client: httpx.AsyncClient, ip: str, place: dict[str, str] = EAST) -> Any:
    """Create a mapping; return its entry in the response."""
    return result(await client.post(V1, json=_item(ip, place)))["value"]


async def _batch(client: httpx.AsyncClient, method: str, items: Any) -> Any:
    return result(await client.request(method, f"{V1}/batch", json=items))


@pytest.mark.proves("P-V1-2")
async def test_an_empty_zone_has_an_empty_list(client: httpx.AsyncClient) -> None:
    assert result(await client.get(V1)) == _wrapper([], None)


@pytest.mark.proves("P-V1-1")
async def test_post_creates_and_get_finds(client: httpx.AsyncClient) -> None:
    answer = result(await client.post(V1, json=_item("2001:DB8::1")))
    stamp = answer["modified_on"]
    entry = {"origin-ip": "2001:db8::1", **EAST, "modified_on": stamp}
    assert stamp is not None
    assert answer == _wrapper(entry, stamp)
    assert result(await client.get(f"{V1}/2001:db8:0::1")) == answer
    assert result(await client.get(V1)) == _wrapper([entry], stamp)


@pytest.mark.proves("P-V1-2")
async def test_the_list_has_no_pages_and_the_latest_time(client: httpx.AsyncClient) -> None:
    items = [_item(f"192.0.2.{n}") for n in range(1, 61)]
    await _batch(client, "PATCH", items)
    newest = await _make(client, "198.51.100.1")
    answer = await client.get(V1, params={"page": 2, "per_page": 5})
    assert "result_info" not in answer.json()
    assert [entry["origin-ip"] for entry in result(answer)["value"]] == [
        *(item["ip"] for item in items), "198.51.100.1",
    ]  # fmt: skip
    assert result(answer)["modified_on"] == newest["modified_on"]


@pytest.mark.proves("P-V1-3")
async def test_post_of_an_existing_mapping_is_refused(client: httpx.AsyncClient) -> None:
    made = await _make(client, "192.0.2.1")
    for place in (EAST, WEST):
        assert error(await client.post(V1, json=_item("::ffff:192.0.2.1", place))) == EXISTS
    assert result(await client.get(f"{V1}/192.0.2.1"))["value"] == made


@pytest.mark.proves("P-V1-4")
async def test_patch_creates_or_replaces_and_returns_the_complete_list(
    client: httpx.AsyncClient,
) -> None:
    first = await _make(client, "192.0.2.1")
    listed = result(await client.patch(V1, json=_item("192.0.2.2")))
    second = listed["value"][1]
    assert listed == _wrapper([first, second], second["modified_on"])
    replaced = result(await client.patch(V1, json=_item("192.0.2.1", WEST)))
    assert [entry["region"] for entry in replaced["value"]] == ["us-west-2", "us-east-1"]
    assert replaced["modified_on"] == replaced["value"][0]["modified_on"]
    assert result(await client.patch(V1, json=_item("192.0.2.1", WEST))) == replaced
    assert result(await client.get(V1)) == replaced


@pytest.mark.proves("P-V1-6")
async def test_delete_returns_the_removed_mapping(client: httpx.AsyncClient) -> None:
    made = await _make(client, "192.0.2.1")
    deleted = result(await client.delete(f"{V1}/192.0.2.1"))
    assert deleted == _wrapper(made, made["modified_on"])
    assert error(await client.delete(f"{V1}/192.0.2.1")) == GONE
    assert error(await client.get(f"{V1}/192.0.2.1")) == MISSING
    assert result(await client.get(V1)) == _wrapper([], None)


@pytest.mark.proves("P-V1-8")
@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", MALFORMED),
        (b"", INVALID),
        (b"[]", INVALID),
        (b"{}", INVALID),
        (b'{"origin_ip":"192.0.2.1","vendor":"aws","region":"us-east-1"}', INVALID),
        (b'{"ip":"nonsense","vendor":"aws","region":"us-east-1"}', INVALID),
        (b'{"ip":7,"vendor":"aws","region":"us-east-1"}', INVALID),
        (b'{"ip":"192.0.2.1"}', UNKNOWN),
        (b'{"ip":"192.0.2.1","vendor":"aws","region":"nowhere"}', UNKNOWN),
        (b'{"ip":"192.0.2.1","vendor":"AWS","region":"us-east-1"}', UNKNOWN),
    ],
)
async def test_invalid_bodies_are_refused(
    client: httpx.AsyncClient, method: str, body: bytes, expected: tuple[int, int, str]
) -> None:
    assert error(await client.request(method, V1, content=body)) == expected
    assert result(await client.get(V1))["value"] == []


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_an_invalid_address_in_the_path_is_refused(
    client: httpx.AsyncClient, method: str
) -> None:
    for ip in ("nonsense", "0.0.0.0", "192.0.2.1%2F24"):
        assert error(await client.request(method, f"{V1}/{ip}")) == INVALID


@pytest.mark.proves("P-V1-7")
async def test_a_batch_of_patches_applies_its_valid_items(client: httpx.AsyncClient) -> None:
    items = [_item("2001:DB8::1"), _item("x"), _item("192.0.2.1", {"vendor": "aws"}), 7,
             _item("2001:db8::1", WEST)]  # fmt: skip
    answer = await _batch(client, "PATCH", items)
    entry = result(await client.get(f"{V1}/2001:db8::1"))["value"]
    failed = [
        {"origin-ip": "x", "error": INVALID[2]},
        {"origin-ip": "192.0.2.1", "error": UNKNOWN[2]},
        {"origin-ip": "", "error": INVALID[2]},
        {"origin-ip": "2001:db8::1", "error": "duplicate origin IP address in this batch"},
    ]
    succeeded = [{"origin-ip": "2001:db8::1", **EAST}]
    expected = {"failed": failed, "succeeded": succeeded}
    assert answer == _wrapper(expected, entry["modified_on"])


@pytest.mark.proves("P-V1-7", "D-52")
async def test_a_batch_of_deletions_applies_its_valid_items(client: httpx.AsyncClient) -> None:
    kept = await _make(client, "192.0.2.1")
    await _make(client, "192.0.2.2", WEST)
    answer = await _batch(client, "DELETE", ["192.0.2.2", "192.0.2.3", "x", None])
    failed = [
        {"origin-ip": "192.0.2.3", "error": GONE[2]},
        {"origin-ip": "x", "error": INVALID[2]},
        {"origin-ip": "", "error": INVALID[2]},
    ]
    succeeded = [{"origin-ip": "192.0.2.2", **WEST}]
    expected = {"failed": failed, "succeeded": succeeded}
    assert answer == _wrapper(expected, kept["modified_on"])


@pytest.mark.proves("P-V1-7")
async def test_a_batch_without_applied_items_has_null_as_modified_on(
    client: httpx.AsyncClient,
) -> None:
    await _make(client, "192.0.2.1")
    for method, items in (("PATCH", [_item("x")]), ("DELETE", ["192.0.2.9"])):
        answer = await _batch(client, method, items)
        assert (answer["modified_on"], answer["value"]["succeeded"]) == (None, [])


@pytest.mark.proves("D-52")
async def test_an_emptied_zone_has_null_as_modified_on(client: httpx.AsyncClient) -> None:
    await _make(client, "192.0.2.1")
    assert (await _batch(client, "DELETE", ["192.0.2.1"]))["modified_on"] is None


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_batches_that_are_not_an_array_of_items_are_refused(
    client: httpx.AsyncClient, method: str
) -> None:
    await _make(client, "192.0.2.1")
    url = f"{V1}/batch"
    for body in (b"", b"{}", b"[]", b"null", b"7"):
        assert error(await client.request(method, url, content=body)) == BATCH
    assert error(await client.request(method, url, content=b"[")) == MALFORMED
    assert error(await client.request(method, url, json=["192.0.2.1"] * 101)) == BATCH
    assert len(result(await client.get(V1))["value"]) == 1


@pytest.mark.proves("P-V1-8")
async def test_every_kind_of_write_enforces_the_limit(client: httpx.AsyncClient) -> None:
    ips = [f"10.0.{n // 250}.{n % 250}" for n in range(MAX_MAPPINGS)]
    for start in range(0, MAX_MAPPINGS, 100):
        await _batch(client, "PATCH", [_item(ip) for ip in ips[start : start + 100]])
    new, old = _item("192.0.2.1"), _item("10.0.0.0", WEST)
    assert error(await client.post(V1, json=new)) == FULL
    assert error(await client.patch(V1, json=new)) == FULL
    assert error(await client.patch(f"{V1}/batch", json=[old, new])) == FULL
    assert result(await client.get(f"{V1}/10.0.0.0"))["value"]["region"] == "us-east-1"
    listed = result(await client.patch(V1, json=old))["value"]
    assert len(listed) == MAX_MAPPINGS


@pytest.mark.proves("P-V1-9")
async def test_both_versions_use_the_same_data(client: httpx.AsyncClient) -> None:
    made = await _make(client, "192.0.2.1")
    entry = {"origin_ip": "192.0.2.1", **EAST, "modified_on": made["modified_on"]}
    assert result(await client.get(f"{MAPPINGS}/192.0.2.1")) == entry
    body = {"origin_ip": "192.0.2.1", **WEST}
    changed = result(await client.put(f"{MAPPINGS}/192.0.2.1", json=body))
    old = result(await client.get(V1))["value"]
    assert old == [{"origin-ip": "192.0.2.1", **WEST, "modified_on": changed["modified_on"]}]
    regions = [result(await client.get(f"{url}/supported_regions")) for url in (V1, MAPPINGS)]
    assert regions[0] == regions[1]
    result(await client.delete(f"{V1}/192.0.2.1"))
    assert result(await client.get(MAPPINGS)) == []


OPERATIONS = [
    ("GET", "", None), ("POST", "", _item("192.0.2.1")), ("PATCH", "", _item("192.0.2.1")),
    ("GET", "/192.0.2.7", None), ("DELETE", "/192.0.2.8", None),
    ("PATCH", "/batch", [_item("192.0.2.1")]), ("DELETE", "/batch", ["192.0.2.1"]),
    ("GET", "/supported_regions", None),
]  # fmt: skip


def _deprecated(answer: httpx.Response) -> None:
    successor = answer.request.url.raw_path.decode()
    successor = successor.replace("/cache/origin_cloud_regions", "/origin/cloud_regions")
    assert answer.headers["deprecation"] == "@1790812800"
    assert answer.headers["sunset"] == "Thu, 01 Oct 2026 00:00:00 GMT"
    assert answer.headers["link"] == f'<{successor}>; rel="successor-version"'
    assert len(answer.headers.get_list("link")) == 1


@pytest.mark.proves("P-V1-10", "D-21")
@pytest.mark.parametrize(("method", "path", "body"), OPERATIONS)
async def test_responses_and_errors_are_marked_as_deprecated(
    client: httpx.AsyncClient, method: str, path: str, body: Any
) -> None:
    for ip in ("192.0.2.7", "192.0.2.8"):
        await _make(client, ip)
    done = await client.request(method, V1 + path, json=body)
    assert done.status_code == 200
    strange = {"Authorization": "Bearer unknown"}
    refused = await client.request(method, V1 + path, json=body, headers=strange)
    assert error(refused) == (401, 10000, "Authentication error")
    wrong = await client.put(V1 + path, json=body)
    assert error(wrong)[:2] == (405, 7001)
    head = await client.head(V1 + path)
    options = await client.options(V1 + path)
    for answer in (done, refused, wrong, head, options):
        _deprecated(answer)


@pytest.mark.proves("D-52")
async def test_refused_requests_are_marked_as_deprecated_too(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.get(f"{V1}/192.0.2.9"),
        await client.post(V1, content=b"{"),
        await client.patch(V1, json=_item("192.0.2.1", {"vendor": "x", "region": "y"})),
        await client.get(V1.replace(initial_data.DEV_ID, "f" * 32)),
    ):
        assert answer.status_code >= 400
        _deprecated(answer)


async def test_current_routes_are_not_marked_as_deprecated(client: httpx.AsyncClient) -> None:
    for url in (MAPPINGS, f"{MAPPINGS}/192.0.2.9", ZONE_URL):
        answer = await client.get(url)
        assert not {"deprecation", "sunset", "link"} & set(answer.headers)


@pytest.mark.proves("D-21")
@pytest.mark.parametrize(("method", "path", "body"), OPERATIONS)
async def test_v1_is_off_by_default(method: str, path: str, body: Any) -> None:
    assert not Settings().enable_v1
    async with (
        bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened,
        client_of(opened, BEARER, settings=Settings()) as client,
    ):
        answer = await client.request(method, V1 + path, json=body)
    assert answer.status_code == 400
    assert [e["code"] for e in answer.json()["errors"]] == [7003, 7000]
    assert (V1_PATH + path).removeprefix("/client/v4") in answer.json()["errors"][0]["message"]
    assert not {"deprecation", "sunset", "link"} & set(answer.headers)
