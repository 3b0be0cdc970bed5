"""Routes: one spelling of each, every method handled, and the envelope around every response."""

from collections.abc import AsyncIterator

import httpx
import pytest

from originmap import bootstrap
from originmap.bootstrap_application import build_app
from originmap.service import initial_data
from tests.api.application import (
    BASE,
    DEV,
    MAPPINGS,
    ZONE_URL,
    client_of,
    dev_client,
    filled,
    served,
)

ROOT = "http://testserver"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with dev_client() as client:
        yield client


@pytest.mark.proves("P-ROUTE-1", "D-27")
@pytest.mark.parametrize(
    "path",
    [
        "/zones/",
        "/nothing",
        f"/zones/{initial_data.DEV_ID}/origin/cloud_regions/",
        f"/zones/{initial_data.DEV_ID}/origin/cloud_regions/192.0.2.1/",
        f"/zones//{initial_data.DEV_ID}/origin/cloud_regions",
        f"//zones/{initial_data.DEV_ID}/origin/cloud_regions",
        f"/zones/{initial_data.DEV_ID.upper()}/origin/cloud_regions",
        f"/zones/{initial_data.DEV_ID[:-1]}/origin/cloud_regions",
        f"/zones/{initial_data.DEV_ID}0/origin/cloud_regions",
        f"/zones/{initial_data.DEV_ID}/origin/cloud_regions/192.0.2.1/more",
        f"/zones/%30{initial_data.DEV_ID[1:]}/origin/cloud_regions",
        f"/zones/{initial_data.DEV_ID}/cache/origin_public_cloud_region",
    ],
)
async def test_each_route_has_one_spelling(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(BASE + path)
    shown = httpx.URL(BASE + path).raw_path.decode().removeprefix("/client/v4")
    assert answer.status_code == 400
    assert answer.json() == {
        "errors": [
            {"code": 7003, "message": f"Could not route to {shown}, perhaps your object "
                                      "identifier is invalid?"},
            {"code": 7000, "message": "No route for that URI"},
        ],
        "messages": [], "result": None, "success": False,
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/nothing", "//client/v4/x", "/client/v5", "/originmap/v1"])
async def test_unknown_paths_outside_cloudflares_routes_get_404(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(ROOT + path)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, 7003)


@pytest.mark.proves("P-ROUTE-2")
@pytest.mark.parametrize("method", ["OPTIONS", "POST", "PATCH", "DELETE", "PUT", "TRACE", "LINK"])
async def test_an_unsupported_method_is_refused(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, MAPPINGS)
    assert answer.status_code == 405
    assert answer.json()["errors"] == [
        {"code": 7001, "message": f"Method {method} not available for that URI."}
    ]
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.proves("D-26", "D-51")
async def test_allow_lists_the_supported_methods(client: httpx.AsyncClient) -> None:
    async with bootstrap.open_store(bootstrap.MEMORY) as opened:
        application = build_app(opened, lambda: True, DEV)
    for template, methods in served(application).items():
        path = filled(template)
        refused = await client.options(ROOT + path)
        assert refused.headers["allow"] == ", ".join(methods)
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
            status = (await client.request(method, ROOT + path)).status_code
            assert (status == 405) == (method not in methods), (method, path)


@pytest.mark.proves("D-26")
async def test_head_is_get_without_the_body(client: httpx.AsyncClient) -> None:
    got, head = await client.get(MAPPINGS), await client.head(MAPPINGS)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


@pytest.mark.proves("P-GEN-13", "D-49")
async def test_every_answer_has_its_own_request_id(client: httpx.AsyncClient) -> None:
    urls = [MAPPINGS, f"{ZONE_URL}/nothing", ROOT + "/healthz", ROOT + "/", f"{MAPPINGS}/batch"]
    rays = [(await client.get(url)).headers["cf-ray"] for url in urls]
    assert len(set(rays)) == len(urls)
    for ray in rays:
        digits, colo = ray.split("-")
        assert (len(digits), colo) == (16, "XXX")
        int(digits, 16)


async def test_health_and_readiness_are_reported(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/readyz"):
        answer = await client.get(ROOT + path, headers={"Authorization": ""})
        assert (answer.status_code, answer.json()["success"]) == (200, True)
    async with (
        bootstrap.open_store(bootstrap.MEMORY) as opened,
        client_of(opened, ready=False) as unready,
    ):
        answer = await unready.get(ROOT + "/readyz")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, 10503)
        assert (await unready.get(ROOT + "/healthz")).status_code == 200


@pytest.mark.proves("P-GEN-1")
async def test_responses_are_json(client: httpx.AsyncClient) -> None:
    for url in (MAPPINGS, f"{ZONE_URL}/nothing", ROOT + "/readyz"):
        assert (await client.get(url)).headers["content-type"] == "application/json"
