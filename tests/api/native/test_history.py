"""The history of a zone over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from originmap.service import initial_data
from tests.api.application import MAPPINGS, dev_client

OWN = f"http://testserver/originmap/v1/zones/{initial_data.DEV_ID}"
NAMED = f"http://testserver/originmap/v1/zones/{initial_data.DEV_ZONE}"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with dev_client() as client:
        yield client


async def put(client: httpx.AsyncClient, ip: str, region: str, **headers: str) -> httpx.Response:
    body = {"origin_ip": ip, "vendor": "aws", "region": region}
    return await client.put(f"{MAPPINGS}/{ip}", json=body, headers=headers)


def revision(answer: httpx.Response) -> int:
    assert answer.status_code == 200, answer.text
    return int(answer.headers["etag"].strip('"'))


async def history(client: httpx.AsyncClient, **arguments: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"{OWN}/history", params=arguments)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["result"]
    return found


async def mappings(client: httpx.AsyncClient, at: int | None = None) -> dict[str, str]:
    arguments = {} if at is None else {"at": at}
    answer = await client.get(f"{NAMED}/mappings", params=arguments)
    assert answer.status_code == 200, answer.text
    return {m["origin_ip"]: m["region"] for m in answer.json()["result"]["mappings"]}


async def test_the_history_has_actor_time_address_and_change(client: httpx.AsyncClient) -> None:
    answer = await put(client, "192.0.2.1", "us-east-1")
    change = (await history(client))[0]
    assert change["revision"] == revision(answer)
    assert (change["actor"], change["client"]) == (initial_data.DEV_ID, "192.0.2.200")
    assert change["request"] == answer.headers["cf-ray"]
    assert change["at"] == answer.json()["result"]["modified_on"]
    assert (change["before"], change["after"]["region"]) == (None, "us-east-1")


async def test_the_history_of_one_address_page_by_page(client: httpx.AsyncClient) -> None:
    made = [
        revision(await put(client, "192.0.2.1", region))
        for region in ("us-east-1", "us-west-2", "us-east-1")
    ]
    await put(client, "192.0.2.2", "us-east-1")
    found = await history(client, ip="192.0.2.1", limit=2)
    assert [change["revision"] for change in found] == [made[2], made[1]]
    rest = await history(client, ip="192.0.2.1", before=made[1])
    assert [change["revision"] for change in rest] == [made[0]]


async def test_mappings_can_be_read_at_each_revision(client: httpx.AsyncClient) -> None:
    states: dict[int, dict[str, str]] = {}
    now: dict[str, str] = {}
    for ip, region in (("::1", "us-east-1"), ("::2", "us-west-2"), ("::1", "us-west-2")):
        now = {**now, ip: region}
        states[revision(await put(client, ip, region))] = now
    last = max(states)
    await client.delete(f"{MAPPINGS}/::1")
    states[last + 1] = {"::2": "us-west-2"}
    for at, expected in states.items():
        assert await mappings(client, at) == expected
    assert await mappings(client) == states[last + 1]


async def test_a_mapping_of_an_earlier_revision_has_its_time_and_revision(
    client: httpx.AsyncClient,
) -> None:
    first = await put(client, "::1", "us-east-1")
    await put(client, "::1", "us-west-2")
    answer = await client.get(f"{OWN}/mappings", params={"at": revision(first)})
    (entry,) = answer.json()["result"]["mappings"]
    assert entry["modified_on"] == first.json()["result"]["modified_on"]
    assert entry["revision"] == revision(first)


async def test_a_future_revision_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{OWN}/mappings", params={"at": 10_000})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 10400)


async def rollback(client: httpx.AsyncClient, to: int, *, dry_run: bool = False) -> Any:
    answer = await client.post(f"{OWN}/rollback", json={"to": to, "dry_run": dry_run})
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


async def test_a_rollback_is_one_change_that_can_be_rolled_back(client: httpx.AsyncClient) -> None:
    good = revision(await put(client, "::1", "us-east-1"))
    await put(client, "::1", "us-west-2")
    bad = revision(await put(client, "::2", "us-west-2"))
    before = await mappings(client)
    told = await rollback(client, good, dry_run=True)
    assert (len(told["changes"]), await mappings(client)) == (2, before)
    done = await rollback(client, good)
    assert (done["changes"], done["revision"]) == (told["changes"], bad + 2)
    assert await mappings(client) == {"::1": "us-east-1"}
    newest = await history(client, limit=2)
    assert len({change["at"] for change in newest}) == 1  # one transaction
    await rollback(client, bad)
    assert await mappings(client) == before


async def test_a_rollback_to_the_current_state_changes_nothing(client: httpx.AsyncClient) -> None:
    at = revision(await put(client, "::1", "us-east-1"))
    done = await rollback(client, at)
    assert (done["changes"], done["revision"]) == ([], at)


@pytest.mark.proves("D-54")
async def test_a_write_with_a_matching_tag_is_executed(client: httpx.AsyncClient) -> None:
    first = await put(client, "::1", "us-east-1")
    second = await put(client, "::1", "us-west-2", **{"If-Match": first.headers["etag"]})
    assert second.status_code == 200
    answer = await client.get(f"{MAPPINGS}/::1")
    assert answer.headers["etag"] == second.headers["etag"]
    gone = await client.delete(
        f"{MAPPINGS}/::1", headers={"If-Match": f'"1", {second.headers["etag"]}'}
    )
    assert gone.status_code == 200


@pytest.mark.proves("D-54")
@pytest.mark.parametrize("tag", ['"1"', '"abc"', "nonsense", 'W/"5"', "*"])
async def test_a_write_with_another_tag_is_412(client: httpx.AsyncClient, tag: str) -> None:
    if tag != "*":
        await put(client, "::1", "us-east-1")
    for answer in (
        await put(client, "::1", "us-west-2", **{"If-Match": tag}),
        await client.delete(f"{MAPPINGS}/::1", headers={"If-Match": tag}),
    ):
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (412, 10412)
    assert await mappings(client) == ({} if tag == "*" else {"::1": "us-east-1"})


async def test_a_star_matches_any_existing_mapping(client: httpx.AsyncClient) -> None:
    await put(client, "::1", "us-east-1")
    answer = await put(client, "::1", "us-west-2", **{"If-Match": "*"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("history", {"ip": "x"}),
        ("history", {"limit": "0"}),
        ("history", {"before": "soon"}),
        ("history", {"nonsense": "1"}),
        ("mappings", {"at": "-1"}),
    ],
)
async def test_wrong_arguments_are_refused(
    client: httpx.AsyncClient, path: str, arguments: dict[str, str]
) -> None:
    assert (await client.get(f"{OWN}/{path}", params=arguments)).status_code == 400
