"""Exports over HTTP."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from originmap import bootstrap
from originmap.domain.access import ZONE_PREFIX
from originmap.domain.mapping import put
from originmap.domain.token_rules import create_token
from originmap.service import setup
from tests.api.answers import error
from tests.api.application import BEARER, MAPPINGS, ZONE_URL, client_of
from tests.builders import CAUSE, US_WEST, ip, new_zone, policy, token

EXPORT = "http://testserver/originmap/v1/export"
OTHER = "a" * 32
SETTINGS_READ = "517b21aee92c4d89936c976ba6e4be55"
NARROW = {"Authorization": "Bearer secret-narrow"}
UPSTREAM = {"upstream": "{colo}.example:80"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with two zones, each with a mapping."""
    async with (
        bootstrap.open_store(bootstrap.MEMORY, setup.prepare_dev) as opened,
        client_of(opened, BEARER) as client,
    ):
        await opened.store.write_records(new_zone(OTHER, "example.org"), CAUSE)
        narrow = token("narrow", policy(True, [ZONE_PREFIX + OTHER], [SETTINGS_READ]))
        await opened.store.write_records(create_token(narrow), CAUSE)
        await opened.store.write(OTHER, [ip("192.0.2.2")], put(ip("192.0.2.2"), US_WEST), CAUSE)
        await change(client, "us-east-1")
        yield client


async def change(client: httpx.AsyncClient, region: str) -> None:
    """Say where the first zone's origin is."""
    item = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": region}
    (await client.put(f"{MAPPINGS}/192.0.2.1", json=item)).raise_for_status()


async def zones_in(client: httpx.AsyncClient, query: str = "", **headers: str) -> list[str]:
    """The names of the zones in an export."""
    answer = (await client.get(f"{EXPORT}/json?{query}", headers=headers)).raise_for_status()
    return [json.loads(line)["zone"] for line in answer.text.splitlines()]


async def test_a_file_is_answered_as_it_is(client: httpx.AsyncClient) -> None:
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


async def test_only_zones_that_the_credential_may_read_are_there(client: httpx.AsyncClient) -> None:
    assert await zones_in(client, **NARROW) == ["example.org"]
    refused = await client.get(f"{EXPORT}/json?zone=example.com", headers=NARROW)
    assert error(refused)[:2] == (403, 10000)


async def test_the_tag_is_good_until_something_changes(client: httpx.AsyncClient) -> None:
    tag = (await client.get(f"{EXPORT}/csv")).headers["etag"]
    known = {"If-None-Match": f'"else", {tag}'}
    same = await client.get(f"{EXPORT}/csv", headers=known)
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    await change(client, "us-west-2")
    new = await client.get(f"{EXPORT}/csv", headers=known)
    assert new.status_code == 200
    assert new.headers["etag"] != tag
    assert new.headers["etag"].split("-")[1] == str(int(tag.split("-")[1]) + 1)


async def test_what_is_asked_for_otherwise_has_another_tag(client: httpx.AsyncClient) -> None:
    questions = ["csv", "json", "csv?colo=SIN", "csv?zone=example.com", "csv?upstream=IAD=a:80"]
    tags = {(await client.get(f"{EXPORT}/{q}")).headers["etag"] for q in questions}
    tags.add((await client.get(f"{EXPORT}/csv", headers=NARROW)).headers["etag"])
    assert len(tags) == len(questions) + 1


async def test_head_has_the_tag_and_no_file(client: httpx.AsyncClient) -> None:
    head, get = await client.head(f"{EXPORT}/csv"), await client.get(f"{EXPORT}/csv")
    assert (head.status_code, head.content) == (200, b"")
    assert "content-length" not in head.headers
    assert head.headers["etag"] == get.headers["etag"]


async def test_a_node_that_is_the_upper_tier_asks_the_origin(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{EXPORT}/json?colo=iad&zone=example.com")
    assert answer.json()["primary"] is None


async def test_switching_tiered_cache_off_is_a_change(client: httpx.AsyncClient) -> None:
    await client.patch(f"{ZONE_URL}/argo/tiered_caching", json={"value": "off"})
    answer = await client.get(f"{EXPORT}/json?zone=example.com")
    assert (answer.json()["mode"], answer.json()["primary"]) == ("off", None)


async def test_a_format_of_several_files_is_asked_for_one(client: httpx.AsyncClient) -> None:
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
async def test_what_cannot_be_made(client: httpx.AsyncClient, question: str, code: int) -> None:
    assert error(await client.get(f"{EXPORT}/{question}"))[:2] == (400, code)
