"""Envoy's discovery requests to the xDS routes."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from originmap.api.native.discovery import MOST_NAMES
from originmap.export.endpoint import MAX_UPSTREAMS
from tests.api.answers import error
from tests.api.application import ZONE_URL
from tests.api.cloudflare.two_zones import NARROW, change, two_zones

DISCOVERY = "http://testserver/v3/discovery"
EXPORT = "http://testserver/originmap/v1/export/envoy"
TOPOLOGY = "http://testserver/originmap/v1/topology"
REGIONAL = f"{ZONE_URL}/cache/regional_tiered_cache"
TEMPLATE = "{colo}.example:80"
KINDS = ("clusters", "endpoints", "routes")
FILES = {"clusters": "cds.json", "routes": "rds.json"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with two_zones() as client:
        yield client


def node(colo: str = "SIN", **options: Any) -> dict[str, Any]:
    """A node in Envoy's form, with members that Originmap ignores."""
    return {
        "id": "sin-1",
        "cluster": "caches",
        "metadata": {"originmap": {"upstream": [TEMPLATE], **options}, "other": {"x": [1]}},
        "locality": {"region": "asia", "zone": colo},
        "user_agent_name": "envoy",
        "extensions": [{"name": "envoy.filters.http.router", "category": "envoy.filters.http"}],
    }


async def ask(
    client: httpx.AsyncClient,
    kind: str,
    *names: str,
    version: str = "",
    headers: dict[str, str] | None = None,
    **parts: Any,
) -> httpx.Response:
    """The response to a DiscoveryRequest."""
    body = {"version_info": version, "resource_names": names, "node": node(), **parts}
    return await client.post(f"{DISCOVERY}:{kind}", json=body, headers=headers)


async def version_of(client: httpx.AsyncClient, kind: str, *names: str, **parts: Any) -> str:
    """The version in the response to a node."""
    version: str = (await ask(client, kind, *names, **parts)).json()["version_info"]
    return version


async def zones_in(client: httpx.AsyncClient, **parts: Any) -> list[str]:
    """The names of the zones in the routes."""
    (routes,) = (await ask(client, "routes", **parts)).json()["resources"]
    return [host["name"] for host in routes["virtual_hosts"]][1:]


@pytest.mark.parametrize("kind", FILES)
async def test_the_resources_are_those_of_the_file(client: httpx.AsyncClient, kind: str) -> None:
    answer = await ask(client, kind)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    params = {"colo": "SIN", "upstream": TEMPLATE, "file": FILES[kind]}
    file = await client.get(EXPORT, params=params)
    assert answer.json()["resources"] == file.json()["resources"]
    assert {r["@type"] for r in answer.json()["resources"]} == {answer.json()["type_url"]}


async def test_endpoints_of_one_cluster_are_those_of_its_file(client: httpx.AsyncClient) -> None:
    upstream = ["IAD=192.0.2.10:80", "EWR=192.0.2.11:80", TEMPLATE]
    of = {"node": node(upstream=upstream)}
    answer = await ask(client, "endpoints", "originmap_iad_ewr", **of)
    params = {"colo": "SIN", "upstream": upstream, "file": "eds/originmap_iad_ewr.json"}
    file = (await client.get(EXPORT, params=params)).raise_for_status()
    assert answer.json()["resources"] == file.json()["resources"]
    assert len(file.json()["resources"]) == 1


async def test_caches_of_a_colo_have_one_cluster_with_the_endpoints_of_its_file(
    client: httpx.AsyncClient,
) -> None:
    upstream = ["IAD=192.0.2.10:80", "IAD=192.0.2.11:80", TEMPLATE]
    of = {"node": node(upstream=upstream)}
    answer = await ask(client, "endpoints", "originmap-colo-iad", **of)
    params = {"colo": "SIN", "upstream": upstream, "file": "eds/originmap-colo-iad.json"}
    file = (await client.get(EXPORT, params=params)).raise_for_status()
    (found,) = answer.json()["resources"]
    assert [found] == file.json()["resources"]
    assert len(found["endpoints"][0]["lb_endpoints"]) == 2
    clusters = (await ask(client, "clusters", **of)).json()["resources"]
    assert {"originmap-colo-iad", "originmap_iad_ewr"} <= {each["name"] for each in clusters}


async def test_every_cluster_of_a_route_through_a_regional_hub_exists(
    client: httpx.AsyncClient,
) -> None:
    # A colo that is not down is its own hub.
    (await client.patch(TOPOLOGY, json={"states": {"SIN": "down"}})).raise_for_status()
    before = (await ask(client, "clusters")).json()["resources"]
    (await client.patch(REGIONAL, json={"value": "on"})).raise_for_status()
    (routes,) = (await ask(client, "routes")).json()["resources"]
    needed = set(re.findall('"cluster": "(originmap_[a-z_]+)"', json.dumps(routes)))
    clusters = (await ask(client, "clusters")).json()["resources"]
    assert needed - {each["name"] for each in before}
    assert needed <= {each["name"] for each in clusters}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_node_that_is_up_to_date_gets_an_empty_304(
    client: httpx.AsyncClient, kind: str
) -> None:
    version = await version_of(client, kind)
    same = await ask(client, kind, version=version)
    assert (same.status_code, same.content) == (304, b"")
    assert (await ask(client, kind, version="another")).status_code == 200


async def test_a_mapping_changes_the_routes_and_nothing_else(client: httpx.AsyncClient) -> None:
    before = {kind: await version_of(client, kind) for kind in KINDS}
    await change(client, "us-west-2")
    after = {kind: await version_of(client, kind) for kind in KINDS}
    assert [kind for kind in KINDS if before[kind] != after[kind]] == ["routes"]


async def test_a_topology_changes_all(client: httpx.AsyncClient) -> None:
    before = {kind: await version_of(client, kind) for kind in KINDS}
    states = {"states": {"IAD": "down"}}
    await client.patch(TOPOLOGY, json=states)
    for kind, version in before.items():
        assert await version_of(client, kind) != version


async def test_only_requested_resources_are_returned(client: httpx.AsyncClient) -> None:
    answer = (await ask(client, "endpoints", "originmap_iad_ewr", "elsewhere")).json()
    (found,) = answer["resources"]
    assert found["cluster_name"] == "originmap_iad_ewr"
    assert [e["priority"] for e in found["endpoints"]] == [0, 1]
    assert [e["locality"] for e in found["endpoints"]] == [
        {"region": "US", "zone": "IAD"},
        {"region": "US", "zone": "EWR"},
    ]
    assert (await ask(client, "endpoints", "elsewhere")).json()["resources"] == []
    assert (await ask(client, "routes", "elsewhere")).json()["resources"] == []
    assert len((await ask(client, "routes", "originmap")).json()["resources"]) == 1


async def test_other_resource_names_do_not_get_304(
    client: httpx.AsyncClient,
) -> None:
    version = await version_of(client, "endpoints", "originmap_iad_ewr")
    answer = await ask(client, "endpoints", "originmap_sea_yyc", version=version)
    assert answer.status_code == 200


async def test_the_colo_is_the_zone_of_the_nodes_locality(client: httpx.AsyncClient) -> None:
    upper = node("iad")
    names = [c["name"] for c in (await ask(client, "clusters", node=upper)).json()["resources"]]
    assert not [name for name in names if name.startswith("originmap_iad")]
    nowhere = await ask(client, "routes", node=node("ZZZ"))
    assert error(nowhere)[:2] == (400, 10462)
    # A node without members is in no colo, and has no addresses of upper tiers.
    assert error(await ask(client, "clusters", node={}))[:2] == (400, 10462)


async def test_the_zones_are_the_requested_ones_among_those_that_the_credential_may_read(
    client: httpx.AsyncClient,
) -> None:
    assert await zones_in(client) == ["example.com", "example.org"]
    assert await zones_in(client, headers=NARROW) == ["example.org"]
    assert await zones_in(client, node=node(zone=["example.com"])) == ["example.com"]
    refused = await ask(client, "routes", node=node(zone=["example.com"]), headers=NARROW)
    assert error(refused)[:2] == (403, 10000)


@pytest.mark.parametrize(
    "body",
    [
        {"node": {"metadata": {"originmap": {"upstreams": [TEMPLATE]}}}},
        {"node": {"metadata": {"originmap": {"upstream": TEMPLATE}}}},
        {"resource_names": "originmap"},
        {"resource_names": ["originmap"] * (MOST_NAMES + 1)},
        [],
    ],
)
async def test_an_invalid_discovery_request_is_refused(
    client: httpx.AsyncClient, body: Any
) -> None:
    answer = await client.post(f"{DISCOVERY}:routes", content=json.dumps(body))
    assert error(answer)[:2] == (400, 10400)


async def test_too_many_addresses_of_upper_tiers_are_refused(client: httpx.AsyncClient) -> None:
    upstream = [f"IAD=a{number}.test:80" for number in range(MAX_UPSTREAMS + 1)]
    status, code, text = error(await ask(client, "clusters", node=node(upstream=upstream)))
    assert (status, code) == (400, 10462)
    assert "2,001 upstream addresses; the limit is 2,000" in text


async def test_a_zone_can_be_named_several_times(client: httpx.AsyncClient) -> None:
    assert await zones_in(client, node=node(zone=["example.com"] * 1_000)) == ["example.com"]


async def test_only_resource_types_of_envoy_are_served(client: httpx.AsyncClient) -> None:
    assert (await ask(client, "listeners")).status_code == 404
    assert error(await client.get(f"{DISCOVERY}:routes"))[0] == 405
