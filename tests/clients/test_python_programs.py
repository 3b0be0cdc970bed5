"""Complete programs for PyPI's `cloudflare`, unchanged except for the base URL.

The calls have the values of Cloudflare's reference; the patterns are those of the client's README:
credentials from the environment, paging, errors, raw responses, and custom requests.
"""

from textwrap import dedent
from typing import Any

import cloudflare
import pytest

from tests.process import EMAIL, KEY, TOKEN, Server

CREDENTIALS = [
    {"CLOUDFLARE_API_TOKEN": TOKEN},
    {"CLOUDFLARE_EMAIL": EMAIL, "CLOUDFLARE_API_KEY": KEY},
]

UPDATE = """
    from cloudflare import Cloudflare

    client = Cloudflare()
    origin_cloud_region = client.cache.origin_cloud_regions.update(
        path_origin_ip="192.0.2.1",
        zone_id="023e105f4ecef8ad9ca31a8372d0c353",
        body_origin_ip="192.0.2.1",
        region="us-east-1",
        vendor="aws",
    )
    print(origin_cloud_region.origin_ip)
"""

BULK_UPDATE = """
    from cloudflare import Cloudflare

    client = Cloudflare()
    response = client.cache.origin_cloud_regions.bulk_update(
        zone_id="023e105f4ecef8ad9ca31a8372d0c353",
        body=[
            {"origin_ip": "192.0.2.1", "region": "us-east-1", "vendor": "aws"},
            {"origin_ip": "2001:db8::1", "region": "us-central1", "vendor": "gcp"},
        ],
    )
    print([item.origin_ip for item in response.succeeded], response.failed)
"""

LIST = """
    from cloudflare import Cloudflare

    client = Cloudflare()
    page = client.cache.origin_cloud_regions.list(
        zone_id="023e105f4ecef8ad9ca31a8372d0c353",
    )
    print(page.result[0].origin_ip)
"""

LIST_ASYNC = """
    import asyncio
    from cloudflare import AsyncCloudflare

    async def main() -> None:
        async with AsyncCloudflare() as client:
            async for origin_cloud_region in client.cache.origin_cloud_regions.list(
                zone_id="023e105f4ecef8ad9ca31a8372d0c353",
            ):
                print(origin_cloud_region.origin_ip)

    asyncio.run(main())
"""

GET = """
    from cloudflare import Cloudflare

    client = Cloudflare()
    origin_cloud_region = client.cache.origin_cloud_regions.get(
        origin_ip="192.0.2.1",
        zone_id="023e105f4ecef8ad9ca31a8372d0c353",
    )
    print(origin_cloud_region.vendor, origin_cloud_region.region)
"""

SUPPORTED_REGIONS = """
    from cloudflare import Cloudflare

    client = Cloudflare()
    response = client.cache.origin_cloud_regions.supported_regions(
        zone_id="023e105f4ecef8ad9ca31a8372d0c353",
    )
    print(response.obtained_codes)
"""

DELETE = """
    from cloudflare import Cloudflare

    client = Cloudflare()
    origin_cloud_region = client.cache.origin_cloud_regions.delete(
        origin_ip="192.0.2.1",
        zone_id="023e105f4ecef8ad9ca31a8372d0c353",
    )
    print(origin_cloud_region.origin_ip)
"""

ERRORS = """
    import cloudflare
    from cloudflare import Cloudflare

    client = Cloudflare(max_retries=0, timeout=20.0)
    try:
        client.with_options(max_retries=5).cache.origin_cloud_regions.get(
            origin_ip="192.0.2.1",
            zone_id="023e105f4ecef8ad9ca31a8372d0c353",
        )
    except cloudflare.APIConnectionError:
        print("The server could not be reached")
    except cloudflare.RateLimitError:
        print("we should back off a bit")
    except cloudflare.APIStatusError as error:
        print(error.status_code)
"""

RAW = """
    from cloudflare import Cloudflare

    client = Cloudflare()
    response = client.cache.origin_cloud_regions.with_raw_response.list(
        zone_id="023e105f4ecef8ad9ca31a8372d0c353",
    )
    print(response.headers.get("content-type"), len(response.headers["cf-ray"]))
"""

OWN_REQUEST = """
    import httpx
    from cloudflare import Cloudflare

    client = Cloudflare()
    response = client.get(
        "/zones/023e105f4ecef8ad9ca31a8372d0c353/origin/cloud_regions",
        cast_to=httpx.Response,
    )
    print(response.json()["result"])
"""

BULK_DELETE = """
    from cloudflare import Cloudflare

    client = Cloudflare()
    response = client.cache.origin_cloud_regions.bulk_delete(
        zone_id="023e105f4ecef8ad9ca31a8372d0c353",
    )
"""

PRINTED = [
    (UPDATE, "192.0.2.1"),
    (BULK_UPDATE, "['192.0.2.1', '2001:db8::1'] []"),
    (GET, "aws us-east-1"),
    (LIST, "192.0.2.1"),
    (LIST_ASYNC, "192.0.2.1\n2001:db8::1"),
    (SUPPORTED_REGIONS, "True"),
    (DELETE, "192.0.2.1"),
    (ERRORS, "404"),
    (RAW, "application/json 20"),
]
"""Programs in the order of a user's session, and the output of each."""


@pytest.fixture(params=CREDENTIALS, ids=["token", "key"])
def configured(
    emptied: Server, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Server:
    """The environment of a user who sets the client's base URL to Originmap."""
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", emptied.api)
    for name, value in request.param.items():
        monkeypatch.setenv(name, value)
    return emptied


def run(program: str) -> None:
    """Run a program, and close its client afterwards."""
    names: dict[str, Any] = {"__name__": "__main__"}
    try:
        exec(compile(dedent(program), "program", "exec"), names)
    finally:
        if "client" in names:
            names["client"].close()


@pytest.mark.proves("P-GEN-11")
def test_every_program_prints_the_same_as_with_cloudflare(
    configured: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    for program, printed in PRINTED:
        run(program)
        assert capsys.readouterr().out.strip() == printed, program


@pytest.mark.proves("P-LIST-3")
def test_an_empty_zone_lists_as_an_empty_array(
    configured: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    run(OWN_REQUEST)
    assert capsys.readouterr().out.strip() == "[]"


@pytest.mark.proves("P-BDEL-4")
def test_the_bulk_delete_of_the_reference_does_nothing(
    configured: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """The client sends no body there; a delete without addresses is refused."""
    run(BULK_UPDATE)
    with pytest.raises(cloudflare.BadRequestError):
        run(BULK_DELETE)
    run(LIST_ASYNC)
    assert capsys.readouterr().out.splitlines()[-2:] == ["192.0.2.1", "2001:db8::1"]
