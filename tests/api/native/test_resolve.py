"""Resolving and what-if over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from originmap import bootstrap
from originmap.domain.tier.cache import Cache
from originmap.domain.tier.rings import nginx
from originmap.service import initial_data
from tests.api.answers import error, result
from tests.api.application import BEARER, MAPPINGS, ZONE_URL, client_of
from tests.api.cloudflare.two_zones import NARROW, OTHER, add_other

OWN = "http://testserver/originmap/v1"
RESOLVE, WHATIF = f"{OWN}/zones/example.com/resolve", f"{OWN}/whatif"
PLACES = {
    "192.0.2.1": ("aws", "us-east-1"),
    "192.0.2.2": ("aws", "us-east-1"),
    "2001:db8::1": ("gcp", "us-central1"),
}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with (
        bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened,
        client_of(opened, BEARER) as client,
    ):
        await add_other(opened.store)
        for ip, (vendor, region) in PLACES.items():
            item = {"origin_ip": ip, "vendor": vendor, "region": region}
            result(await client.put(f"{MAPPINGS}/{ip}", json=item))
        yield client


async def _origins(client: httpx.AsyncClient, *ips: str, **more: str) -> Any:
    params = [*(("ip", ip) for ip in ips), *more.items()]
    return result(await client.get(RESOLVE, params=params))["origins"]


async def test_a_mapped_origin_gets_its_upper_tier_and_the_reason(
    client: httpx.AsyncClient,
) -> None:
    (found,) = await _origins(client, "192.0.2.1")
    assert found == {
        "origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1", "mode": "hint",
        "primary": {"colo": "IAD", "basis": "distance", "distance_km": 11.4, "latency_ms": None,
                    "state": "active"},
        "fallbacks": [{"colo": "EWR", "basis": "distance", "distance_km": 337.4,
                       "latency_ms": None, "state": "active"}],
        "upper_tier_colos": ["IAD", "EWR"], "reason": "IAD: nearest to aws us-east-1, 11 km",
    }  # fmt: skip


async def test_answers_are_in_the_order_of_the_request_and_in_canonical_form(
    client: httpx.AsyncClient,
) -> None:
    found = await _origins(client, "2001:DB8:0::1", "192.0.2.9", "::ffff:192.0.2.1")
    assert [(o["origin_ip"], o["mode"]) for o in found] == [
        ("2001:db8::1", "hint"), ("192.0.2.9", "generic"), ("192.0.2.1", "hint"),
    ]  # fmt: skip
    assert len(found[1]["upper_tier_colos"]) == 75
    assert found[1]["primary"] is None


async def test_with_tiered_cache_off_the_origin_itself_is_used(client: httpx.AsyncClient) -> None:
    result(await client.patch(f"{ZONE_URL}/argo/tiered_caching", json={"value": "off"}))
    (found,) = await _origins(client, "192.0.2.1")
    assert (found["mode"], found["upper_tier_colos"]) == ("off", [])


async def test_a_pool_gets_one_answer(client: httpx.AsyncClient) -> None:
    (found,) = await _origins(client, "192.0.2.1", "192.0.2.2", "192.0.2.9", pool="true")
    assert found["origin_ips"] == ["192.0.2.1", "192.0.2.2", "192.0.2.9"]
    assert found["upper_tier_colos"] == ["IAD", "EWR"]


async def test_explain_returns_the_whole_ranking(client: httpx.AsyncClient) -> None:
    (found,) = await _origins(client, "192.0.2.1", explain="true")
    assert [ranked["colo"] for ranked in found["ranking"]][:3] == ["IAD", "EWR", "YYZ"]
    assert len(found["ranking"]) == 75


async def test_the_response_has_the_revision_of_the_data(client: httpx.AsyncClient) -> None:
    params = {"ip": "192.0.2.1"}
    before = result(await client.get(RESOLVE, params=params))["revision"]
    result(await client.delete(f"{MAPPINGS}/192.0.2.2"))
    assert result(await client.get(RESOLVE, params=params))["revision"] == before + 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", 10400), ("&".join(["ip=192.0.2.1"] * 101), 10400), ("ip=192.0.2.1&more=1", 10400),
        ("ip=192.0.2.1&pool=yes", 10400), ("ip=nonsense", 1146), ("ip=", 1146),
    ],
)  # fmt: skip
async def test_invalid_requests_are_refused(
    client: httpx.AsyncClient, query: str, code: int
) -> None:
    assert error(await client.get(f"{RESOLVE}?{query}"))[:2] == (400, code)


async def test_a_hundred_addresses_fit_into_one_request(client: httpx.AsyncClient) -> None:
    assert len(await _origins(client, *["192.0.2.1"] * 100)) == 100


async def test_a_zone_is_addressed_by_id_or_name_and_needs_a_read_permission(
    client: httpx.AsyncClient,
) -> None:
    params = {"ip": "192.0.2.1"}
    for zone in (OTHER, "example.org", "EXAMPLE.org"):
        answer = await client.get(f"{OWN}/zones/{zone}/resolve", params=params, headers=NARROW)
        assert answer.status_code == 200
    answers = [
        await client.get(f"{OWN}/zones/{zone}/resolve", params=params, headers=NARROW)
        for zone in (initial_data.DEV_ID, "example.com", "b" * 32, "nothing.example", "nonsense")
    ]
    assert {error(answer)[:2] for answer in answers} == {(403, 10000)}


async def test_whatif_lists_moves_and_changes_nothing(client: httpx.AsyncClient) -> None:
    found = result(await client.post(WHATIF, json={"states": {"IAD": "down"}}))
    assert (found["cold_origins"], found["moved_origins"]) == (2, 2)
    assert found["moves"] == [
        {"zone_id": initial_data.DEV_ID, "vendor": "aws", "region": "us-east-1", "pool": None,
         "origins": 2,
         "before": ["IAD", "EWR"], "after": ["EWR", "YYZ"], "cold": True},
    ]  # fmt: skip
    assert (await _origins(client, "192.0.2.1"))[0]["upper_tier_colos"] == ["IAD", "EWR"]


@pytest.mark.parametrize(
    "setting", ["argo/tiered_caching", "cache/tiered_cache_smart_topology_enable"]
)
async def test_whatif_counts_only_origins_whose_caches_have_an_upper_tier(
    client: httpx.AsyncClient, setting: str
) -> None:
    result(await client.patch(f"{ZONE_URL}/{setting}", json={"value": "off"}))
    found = result(await client.post(WHATIF, json={"states": {"IAD": "down"}}))
    assert (found["cold_origins"], found["moved_origins"], found["moves"]) == (0, 0, [])


async def test_another_topology_can_be_tried(client: httpx.AsyncClient) -> None:
    colo = {"code": "SYD", "city": "Sydney", "country": "AU", "latitude": -33.9, "longitude": 151.2}
    found = result(await client.post(WHATIF, json={"topology": {"colos": [colo]}}))
    assert found["cold_origins"] == 3
    assert {tuple(move["after"]) for move in found["moves"]} == {("SYD",)}


async def test_only_readable_zones_are_searched(client: httpx.AsyncClient) -> None:
    answer = await client.post(WHATIF, json={"states": {"IAD": "down"}}, headers=NARROW)
    assert result(answer)["moves"] == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 10400), ({"states": {}, "topology": {"colos": []}}, 10400), ([], 10400),
        ({"states": {"NOPE": "down"}}, 10460), ({"topology": {"colos": []}}, 10460),
    ],
)  # fmt: skip
async def test_invalid_what_ifs_are_refused(
    client: httpx.AsyncClient, body: Any, code: int
) -> None:
    assert error(await client.post(WHATIF, json=body))[:2] == (400, code)


CACHES = [
    {"name": f"iad-{n}", "address": f"192.0.2.{n}", "weight": n} for n in (1, 2, 3)
]  # fmt: skip


async def _topology(client: httpx.AsyncClient, **members: Any) -> Any:
    """Colos IAD with three caches, FRA and SIN, of which SIN cannot be an upper tier."""
    places = {"IAD": ("US", 39, -77), "FRA": ("DE", 50, 9), "SIN": ("SG", 1, 104)}
    colos = [
        {"code": code, "city": code, "country": country, "latitude": north, "longitude": east}
        | ({"caches": CACHES} if code == "IAD" else {})
        | ({"eligible": False} if code == "SIN" else {})
        for code, (country, north, east) in places.items()
    ]
    topology = {"colos": colos, "cache_template": "{colo}.example:80", **members}
    return result(await client.put(f"{OWN}/topology", json=topology))


async def test_a_node_fills_along_a_chain(client: httpx.AsyncClient) -> None:
    await _topology(client, hubs={"asia": ["SIN"]})
    regional = f"{ZONE_URL}/cache/regional_tiered_cache"
    (plain,) = await _origins(client, "192.0.2.1", colo="sin")
    assert (plain["chain"], plain["regional_hub"]) == (["IAD", "FRA"], None)
    await _topology(client, hubs={"asia": ["FRA"]})
    result(await client.patch(regional, json={"value": "on"}))
    (through,) = await _origins(client, "192.0.2.1", colo="SIN")
    assert (through["chain"], through["regional_hub"]) == (["FRA", "IAD"], "FRA")
    (own,) = await _origins(client, "192.0.2.1", colo="IAD")
    assert (own["chain"], own["regional_hub"]) == (["IAD"], None)
    refused = await client.get(RESOLVE, params={"ip": "192.0.2.1", "colo": "XXX"})
    assert "there is no colo XXX" in str(error(refused))


async def test_the_cache_that_owns_a_url_is_named(client: httpx.AsyncClient) -> None:
    await _topology(client)
    url = "https://www.Example.com:443/a%20b?c=d"
    (found,) = await _origins(client, "192.0.2.1", url=url)
    caches = tuple(Cache(c["name"], c["address"], weight=c["weight"]) for c in CACHES)
    owner = nginx.owner(caches, b"www.example.com/a%20b?c=d").name
    assert found["owners"]["nginx"] == owner
    (alone,) = await _origins(client, "192.0.2.2", url=url, colo="FRA")
    assert alone["chain"] == ["IAD"]
    assert alone["owners"] == found["owners"]
    (unmapped,) = await _origins(client, "192.0.2.99", url=url, colo="FRA")
    assert (unmapped["chain"], unmapped["owners"]) == ([], {})
    for wrong in ("", "ftp://a/", "http://a/#b", "http://a/ b", "http://a/" + "a" * 9_000):
        refused = await client.get(RESOLVE, params={"ip": "192.0.2.1", "url": wrong})
        assert "url must be" in str(error(refused))


async def test_a_change_of_the_generic_pool_moves_a_share_of_the_urls(
    client: httpx.AsyncClient,
) -> None:
    topology = await _topology(client, generic="hash")
    (found,) = await _origins(client, "192.0.2.99", url="http://a/", colo="SIN")
    assert (found["mode"], found["chain"]) == ("generic", ["generic"])
    assert found["upper_tier_colos"] == ["FRA", "IAD"]
    after = topology | {"generic_pool": ["IAD"]}
    changed = result(await client.post(WHATIF, json={"topology": after}))
    assert changed["urls"] == [{"colo": "generic", "share": round(1 / 7, 4)}]


async def test_what_if_counts_urls_and_regional_hubs_that_move(client: httpx.AsyncClient) -> None:
    topology = await _topology(client)
    iad = next(colo for colo in topology["colos"] if colo["code"] == "IAD")
    iad["caches"][2]["state"] = "draining"
    hidden = result(await client.post(WHATIF, json={"topology": topology | {"hubs": {}}}))
    assert hidden["regional_hubs"] == []
    regional = f"{ZONE_URL}/cache/regional_tiered_cache"
    result(await client.patch(regional, json={"value": "on"}))
    after = topology | {"hubs": {"asia": ["SIN"], "europe": ["IAD"]}}
    changed = result(await client.post(WHATIF, json={"topology": after}))
    assert changed["urls"] == [{"colo": "IAD", "share": 0.5}]
    assert changed["regional_hubs"] == [
        {"colo": "FRA", "before": "FRA", "after": "IAD"},
        {"colo": "SIN", "before": None, "after": "SIN"},
    ]
    unchanged = result(await client.post(WHATIF, json={"topology": topology}))
    assert unchanged["urls"] == [{"colo": "IAD", "share": 0.5}]
