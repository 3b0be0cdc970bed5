"""Exports over HTTP."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from originmap import bootstrap
from originmap.domain.mapping.mapping import put
from originmap.service import initial_data
from originmap.service.initial_data import DEV_ID
from originmap.store.memory import MemoryStore
from tests.api.answers import error
from tests.api.application import BEARER, ZONE_URL, client_of
from tests.api.cloudflare.two_zones import NARROW, OTHER, change, two_zones
from tests.builders import CAUSE, US_EAST, US_WEST, ip

EXPORT = "http://testserver/originmap/v1/export"
UPSTREAM = {"upstream": "{colo}.example:80"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with two_zones() as client:
        yield client


async def zones_in(client: httpx.AsyncClient, query: str = "", **headers: str) -> list[str]:
    """The names of the zones in an export."""
    answer = (await client.get(f"{EXPORT}/json?{query}", headers=headers)).raise_for_status()
    return [json.loads(line)["zone"] for line in answer.text.splitlines()]


async def test_a_file_is_returned_without_an_envelope(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{EXPORT}/csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.text == (
        "zone,origin_ip,vendor,region,mode,primary,fallbacks\r\n"
        "example.com,192.0.2.1,aws,us-east-1,hint,IAD,EWR\r\n"
        "example.org,192.0.2.2,aws,us-west-2,hint,SEA,YYC\r\n"
    )


async def test_zones_are_named_by_id_or_name(client: httpx.AsyncClient) -> None:
    assert await zones_in(client) == ["example.com", "example.org"]
    assert await zones_in(client, "zone=EXAMPLE.org") == ["example.org"]
    assert await zones_in(client, f"zone={OTHER}&zone=example.org") == ["example.org"]


async def test_only_readable_zones_are_included(client: httpx.AsyncClient) -> None:
    assert await zones_in(client, **NARROW) == ["example.org"]
    refused = await client.get(f"{EXPORT}/json?zone=example.com", headers=NARROW)
    assert error(refused)[:2] == (403, 10000)


async def test_the_tag_changes_only_with_the_file(client: httpx.AsyncClient) -> None:
    tag = (await client.get(f"{EXPORT}/csv")).headers["etag"]
    known = {"If-None-Match": f'"else", {tag}'}
    same = await client.get(f"{EXPORT}/csv", headers=known)
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    await change(client, "us-west-2")
    new = await client.get(f"{EXPORT}/csv", headers=known)
    assert new.status_code == 200
    assert new.headers["etag"] != tag
    assert new.headers["etag"].split("-")[1] == str(int(tag.split("-")[1]) + 1)


async def test_the_tag_changes_with_a_restored_database_of_the_same_revision() -> None:
    async with bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened:
        store, address, restored = opened.store, ip("192.0.2.1"), MemoryStore()
        await restored.load(store.snapshot())
        await store.write(DEV_ID, [address], put(address, US_EAST), CAUSE)
        await restored.write(DEV_ID, [address], put(address, US_WEST), CAUSE)
        assert (store.epoch, store.revision) == (restored.epoch, restored.revision)
        async with client_of(opened, BEARER) as client:
            known = {"If-None-Match": (await client.get(f"{EXPORT}/csv")).headers["etag"]}
            assert (await client.get(f"{EXPORT}/csv", headers=known)).status_code == 304
            await store.load(restored.snapshot())
            answer = await client.get(f"{EXPORT}/csv", headers=known)
    assert (answer.status_code, "us-west-2" in answer.text) == (200, True)


async def test_different_arguments_give_another_tag(client: httpx.AsyncClient) -> None:
    questions = ["csv", "json", "csv?colo=SIN", "csv?zone=example.com", "csv?upstream=IAD=a:80"]
    tags = {(await client.get(f"{EXPORT}/{q}")).headers["etag"] for q in questions}
    tags.add((await client.get(f"{EXPORT}/csv", headers=NARROW)).headers["etag"])
    assert len(tags) == len(questions) + 1


async def test_head_has_the_tag_and_no_file(client: httpx.AsyncClient) -> None:
    head, get = await client.head(f"{EXPORT}/csv"), await client.get(f"{EXPORT}/csv")
    assert (head.status_code, head.content) == (200, b"")
    assert "content-length" not in head.headers
    assert head.headers["etag"] == get.headers["etag"]


async def test_a_node_that_is_the_upper_tier_fills_from_the_origin(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get(f"{EXPORT}/json?colo=iad&zone=example.com")
    assert answer.json()["primary"] is None


async def test_switching_tiered_cache_off_is_a_change(client: httpx.AsyncClient) -> None:
    await client.patch(f"{ZONE_URL}/argo/tiered_caching", json={"value": "off"})
    answer = await client.get(f"{EXPORT}/json?zone=example.com")
    assert (answer.json()["mode"], answer.json()["primary"]) == ("off", None)


async def test_a_format_with_several_files_needs_a_file_name(client: httpx.AsyncClient) -> None:
    params = {**UPSTREAM, "file": "originmap.map", "colo": "SIN"}
    answer = await client.get(f"{EXPORT}/haproxy", params=params)
    assert "example.com/192.0.2.1 originmap_iad_ewr\n" in answer.text


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ("squid", 10462), ("haproxy?upstream=%7Bcolo%7D.a:80", 10462), ("nginx", 10462),
        ("nginx?upstream=%7Bcolo%7D.a:80&file=x", 10462), ("nginx?upstream=a:80", 10462),
        ("csv?colo=ZZZ", 10462), ("csv?colo=SIN&colo=IAD", 10400), ("csv?more=1", 10400),
    ],
)  # fmt: skip
async def test_an_impossible_export_is_refused(
    client: httpx.AsyncClient, question: str, code: int
) -> None:
    assert error(await client.get(f"{EXPORT}/{question}"))[:2] == (400, code)


async def test_the_error_for_an_unknown_file_lists_the_valid_ones(
    client: httpx.AsyncClient,
) -> None:
    async def said(file: str) -> str:
        params = {
            "file": file,
            "upstream": ["IAD=192.0.2.10:80", "EWR=192.0.2.11:80", "{colo}.a:80"],
        }
        message: str = error(await client.get(f"{EXPORT}/envoy", params=params))[2]
        return message

    for file in ("eds/x.json", "eds/originmap_sea_yyc.json"):
        message = await said(file)
        assert f"no file {file}: choose one of cds.json, rds.json, eds/" in message
        assert "eds/originmap_iad_ewr.json" in message
        assert "upstream addresses are IP addresses" in message
    every = error(await client.get(f"{EXPORT}/envoy", params={"upstream": "{colo}.a:80"}))[2]
    assert (
        every == "format envoy has several files: choose one of cds.json, rds.json, eds/NAME.json"
    )


async def test_rollout_served_requests_the_released_revision(client: httpx.AsyncClient) -> None:
    async def step(name: str, **members: str) -> None:
        answer = await client.post(
            "http://testserver/originmap/v1/rollout", json={"step": name, **members}
        )
        assert answer.status_code == 200, answer.text

    async def regions(query: str, **headers: str) -> tuple[str, list[str]]:
        answer = await client.get(f"{EXPORT}/json?rollout={query}", headers=headers)
        lines = answer.raise_for_status().text.splitlines()
        return answer.headers["etag"], [json.loads(line)["region"] for line in lines]

    _, old = await regions("served")
    await step("hold")
    await change(client, "us-west-2")
    held, served = await regions("served&colo=FRA")
    _, new = await regions("newest&colo=FRA")
    assert (served, new) == (old, ["us-west-2", old[1]])
    known = {"If-None-Match": held}
    for method in ("GET", "HEAD"):
        url = f"{EXPORT}/json?rollout=served&colo=FRA"
        assert (await client.request(method, url, headers=known)).status_code == 304
        assert (await client.request(method, url)).headers["etag"] == held
    await step("start", stages="FRA,50%,100%")
    assert (await regions("served&colo=FRA"))[1] == new
    assert (await regions("served&colo=SIN"))[1] == old
    assert (await regions("served&colo=SIN", **NARROW))[1] == old[1:]
    await step("advance")
    # By the SHA-256 of its name, edge-2 is in the first half of all nodes, and edge-1 is not.
    assert (await regions("served&node=edge-2"))[1] == new
    assert (await regions("served&node=edge-1"))[1] == old
    assert (await regions("served"))[1] == old
    await step("finish")
    assert (await regions("served&colo=SIN"))[1] == new


@pytest.mark.parametrize(
    "query", ["rollout=old", "rollout=", "node=edge-1", "rollout=served&node=a%20b"]
)
async def test_invalid_arguments_about_a_rollout_are_refused(
    client: httpx.AsyncClient, query: str
) -> None:
    assert error(await client.get(f"{EXPORT}/json?{query}"))[:2] == (400, 10400)
