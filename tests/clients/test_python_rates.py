"""PyPI's `cloudflare` against a server with a rate limit: it backs off and succeeds.

Also a complete program of a user, from the check of its token to the last page of its mappings.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import cloudflare
import pytest
from cloudflare import Cloudflare

from tests.clients.python_client import BY_TOKEN, Client, opened, reasons, refusal_of, settled
from tests.process import TOKEN, ZONE, Server

THROTTLED = (971, "Please wait and consider throttling your request speed")

SCRIPT = """
    import time
    import cloudflare
    from cloudflare import Cloudflare

    client = Cloudflare(max_retries=0)

    def patiently(call):
        while True:
            try:
                return call()
            except cloudflare.RateLimitError as error:
                time.sleep(int(error.response.headers["retry-after"]))

    token = patiently(lambda: client.user.tokens.verify())
    print("token", token.status)

    zone = patiently(lambda: client.zones.list(name="example.com", per_page=1)).result[0]
    print("zone", zone.name, zone.status)

    setting = patiently(lambda: client.argo.tiered_caching.edit(zone_id=zone.id, value="on"))
    print("tiered cache", setting.value)
    smart = patiently(
        lambda: client.cache.smart_tiered_cache.edit(zone_id=zone.id, value="on")
    )
    print("smart tiered cache", smart.value)

    regions = client.cache.origin_cloud_regions
    origins = [
        {"origin_ip": f"198.51.100.{n}", "vendor": "aws", "region": "eu-west-1"}
        for n in range(250)
    ]
    for start in range(0, len(origins), 100):
        batch = origins[start : start + 100]
        outcome = patiently(lambda: regions.bulk_update(zone_id=zone.id, body=batch))
        print("put", len(outcome.succeeded), "failed", len(outcome.failed))

    seen = []
    page = patiently(lambda: regions.list(zone_id=zone.id, per_page=100))
    while page.result:
        seen += page.result
        page = patiently(page.get_next_page)
    print("listed", len(seen), seen[0].origin_ip, seen[-1].origin_ip)
"""
PRINTED = """
    token active
    zone example.com active
    tiered cache on
    smart tiered cache on
    put 100 failed 0
    put 100 failed 0
    put 50 failed 0
    listed 250 198.51.100.0 198.51.100.249
"""


@pytest.fixture
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a limit of five requests a second per user."""
    folder = tmp_path_factory.mktemp("limited")
    with Server(":memory:", folder, args=["--rate-limit", "5/1"]) as server:
        yield server


@pytest.fixture
def limited_for_a_minute(tmp_path: Path) -> Iterator[Server]:
    """A server with a limit of five requests a minute per user: enough time for six requests on a
    busy machine."""
    with Server(":memory:", tmp_path, args=["--rate-limit", "5/60"]) as server:
        yield server


def statuses(server: Server) -> list[int]:
    """The statuses of the responses in the log of a stopped server."""
    server.stop()
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    return [line["status"] for line in lines if line["path"].startswith("/client/")]


@pytest.mark.proves("P-RATE-6")
async def test_the_clients_own_retry_succeeds(limited: Server, kind: type[Client]) -> None:
    async with opened(kind, limited.api, **BY_TOKEN) as client:
        for _ in range(12):
            await settled(client.cache.origin_cloud_regions.list(zone_id=ZONE))
    answered = statuses(limited)
    assert answered.count(200) == 12
    assert 429 in answered


@pytest.mark.proves("P-GEN-12", "P-RATE-3", "P-RATE-5")
async def test_without_retries_a_typed_error_has_retry_after(
    limited_for_a_minute: Server, kind: type[Client]
) -> None:
    api = limited_for_a_minute.api
    async with opened(kind, api, max_retries=0, **BY_TOKEN) as client:
        raw = client.cache.origin_cloud_regions.with_raw_response
        left = []
        for _ in range(5):
            headers = (await settled(raw.list(zone_id=ZONE))).headers
            left.append(headers["ratelimit"].partition(";t=")[0])
            assert headers["ratelimit-policy"] == '"default";q=5;w=60'
        assert left == [f'"default";r={rest}' for rest in (4, 3, 2, 1, 0)]
        caught = await refusal_of(lambda: client.zones.list())
    assert (type(caught), reasons(caught)) == (cloudflare.RateLimitError, [THROTTLED])
    assert 1 <= int(caught.response.headers["retry-after"]) <= 60


def test_a_users_token_and_key_share_a_quota(limited_for_a_minute: Server) -> None:
    api = limited_for_a_minute.api
    by_key: dict[str, Any] = {
        "api_email": "user@example.com",
        "api_key": "144c9defac04969c7bfad8efaa8ea194",
    }
    with (
        Cloudflare(base_url=api, max_retries=0, **BY_TOKEN) as first,
        Cloudflare(base_url=api, max_retries=0, **by_key) as second,
    ):
        for client in (first, second, first, second, first):
            client.user.get()
        with pytest.raises(cloudflare.RateLimitError):
            second.user.get()


@pytest.mark.proves("P-RATE-6", "D-37")
def test_a_complete_program_backs_off_and_succeeds(
    limited: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", limited.api)
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
    names: dict[str, Any] = {"__name__": "__main__"}
    try:
        exec(compile(dedent(SCRIPT), "script", "exec"), names)
    finally:
        names["client"].close()
    assert capsys.readouterr().out.strip() == dedent(PRINTED).strip()
    assert 429 in statuses(limited)
