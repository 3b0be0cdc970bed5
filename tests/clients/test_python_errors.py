"""The typed errors of PyPI's `cloudflare`: class, code and message of each."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudflare
import pytest

from tests.clients.python_client import BY_TOKEN, Client, opened, put, refusal_of, settled
from tests.process import COMMAND, EMAIL, ZONE, Server

ALSO_BEHIND_PROXY = True

NO_ADDRESS = "Invalid or missing origin IP address."
NO_REGION = (
    "The vendor provided doesn't exist or the region provided does not exist "
    "for the specified cloud vendor"
)
NO_SETTING = (
    "Unable to retrieve origin_public_cloud_region setting value. The zone setting does not exist."
)
NO_SUCH_TOKEN = {"api_token": "A" * 40}
NO_SUCH_KEY = {"api_email": EMAIL, "api_key": "0" * 37}


def update(origin_ip: str, **changed: str) -> Callable[[Any], Any]:
    sent = {"body_origin_ip": origin_ip, "vendor": "aws", "region": "us-east-1", **changed}
    return lambda regions: regions.update(origin_ip, zone_id=ZONE, **sent)


def get(origin_ip: str, zone_id: str = ZONE) -> Callable[[Any], Any]:
    return lambda regions: regions.get(origin_ip, zone_id=zone_id)


def delete(origin_ip: str) -> Callable[[Any], Any]:
    return lambda regions: regions.delete(origin_ip, zone_id=ZONE)


def pages(**query: int) -> Callable[[Any], Any]:
    return lambda regions: regions.list(zone_id=ZONE, **query)


def batch(size: int) -> Callable[[Any], Any]:
    items = [
        {"origin_ip": f"192.0.2.{number}", "vendor": "aws", "region": "us-east-1"}
        for number in range(size)
    ]
    return lambda regions: regions.bulk_update(zone_id=ZONE, body=items)


REFUSED = {
    "other address in the body": (
        update("192.0.2.1", body_origin_ip="192.0.2.2"),
        cloudflare.BadRequestError,
        (1146, "body origin_ip does not match URL"),
    ),
    "no address": (get("nonsense"), cloudflare.BadRequestError, (1146, NO_ADDRESS)),
    "an encoded slash": (get("192.0.2.0/24"), cloudflare.BadRequestError, (1146, NO_ADDRESS)),
    "percent sign": (get("fe80::1%eth0"), cloudflare.BadRequestError, (1146, NO_ADDRESS)),
    "unknown region": (
        update("192.0.2.1", region="us-central1"),
        cloudflare.BadRequestError,
        (1157, NO_REGION),
    ),
    "vendor in capitals": (
        update("192.0.2.1", vendor="AWS"),
        cloudflare.BadRequestError,
        (1157, NO_REGION),
    ),
    "page of 101": (
        pages(per_page=101),
        cloudflare.BadRequestError,
        (1146, "invalid per_page parameter, must be between 1 and 100"),
    ),
    "page 0": (
        pages(page=0),
        cloudflare.BadRequestError,
        (1146, "invalid page parameter, must be 1 or more"),
    ),
    "batch of none": (
        batch(0),
        cloudflare.BadRequestError,
        (1146, "batch must be an array of 1 to 100 items"),
    ),
    "batch of 101": (
        batch(101),
        cloudflare.BadRequestError,
        (1146, "batch must be an array of 1 to 100 items"),
    ),
    "get without mapping": (get("192.0.2.1"), cloudflare.NotFoundError, (1142, NO_SETTING)),
    "delete without mapping": (delete("192.0.2.1"), cloudflare.NotFoundError, (1142, NO_SETTING)),
}


@pytest.mark.proves("P-GEN-2", "P-GEN-12", "P-GET-2", "P-PUT-4", "D-34")
@pytest.mark.parametrize(("call", "error", "reason"), REFUSED.values(), ids=REFUSED.keys())
async def test_a_refused_call_raises_its_typed_error(
    server: Server,
    kind: type[Client],
    call: Callable[[Any], Any],
    error: type[cloudflare.APIStatusError],
    reason: tuple[int, str],
) -> None:
    async with opened(kind, server.api, **BY_TOKEN) as client:
        caught = await refusal_of(lambda: call(client.cache.origin_cloud_regions))
    assert type(caught) is error
    code, message = reason
    assert caught.body == {
        "errors": [{"code": code, "message": message}],
        "messages": [],
        "result": None,
        "success": False,
    }
    assert [(item.code, item.message) for item in caught.errors] == [reason]
    assert caught.response.headers["cf-ray"]


@pytest.mark.proves("P-GEN-12", "P-AUTH-2", "P-AUTH-5")
@pytest.mark.parametrize(
    ("credentials", "error", "reason"),
    [
        (NO_SUCH_TOKEN, cloudflare.AuthenticationError, (10000, "Authentication error")),
        (
            NO_SUCH_KEY,
            cloudflare.PermissionDeniedError,
            (9103, "Unknown X-Auth-Key or X-Auth-Email"),
        ),
        (
            {"api_token": "not a token"},
            cloudflare.BadRequestError,
            (6003, "Invalid request headers"),
        ),
        (
            {"api_email": EMAIL, "api_key": "short"},
            cloudflare.BadRequestError,
            (6003, "Invalid request headers"),
        ),
        ({"api_email": EMAIL}, cloudflare.BadRequestError, (9106, "Missing X-Auth-Key header")),
    ],
    ids=["unknown token", "unknown key", "malformed token", "malformed key", "no key"],
)
async def test_bad_credentials_raise_their_typed_error(
    server: Server,
    kind: type[Client],
    credentials: dict[str, str],
    error: type[cloudflare.APIStatusError],
    reason: tuple[int, str],
) -> None:
    async with opened(kind, server.api, **credentials) as client:
        caught = await refusal_of(lambda: pages()(client.cache.origin_cloud_regions))
    assert type(caught) is error
    assert [(item.code, item.message) for item in caught.errors] == [reason]


@pytest.mark.proves("P-AUTH-9")
async def test_a_token_with_read_access_is_refused_a_write(
    dev: Server, tmp_path: Path, kind: type[Client]
) -> None:
    async with opened(kind, dev.api, api_token=read_token(tmp_path / "dev.db")) as client:
        regions = client.cache.origin_cloud_regions
        assert (await settled(regions.list(zone_id=ZONE))).result == []
        caught = await refusal_of(lambda: put(regions, "192.0.2.1"))
    assert type(caught) is cloudflare.PermissionDeniedError
    assert [(item.code, item.message) for item in caught.errors] == [
        (10000, "Authentication error")
    ]


@pytest.mark.proves("P-ROUTE-1")
@pytest.mark.parametrize("zone_id", ["0" * 32, "023E105F4ECEF8AD9CA31A8372D0C353", "example.com"])
async def test_an_unknown_zone_is_an_unknown_route(
    server: Server, kind: type[Client], zone_id: str
) -> None:
    async with opened(kind, server.api, **BY_TOKEN) as client:
        call = get("192.0.2.1", zone_id)
        caught = await refusal_of(lambda: call(client.cache.origin_cloud_regions))
    assert type(caught) is cloudflare.BadRequestError
    path = f"/zones/{zone_id}/origin/cloud_regions/192.0.2.1"
    assert [(item.code, item.message) for item in caught.errors] == [
        (7003, f"Could not route to {path}, perhaps your object identifier is invalid?"),
        (7000, "No route for that URI"),
    ]


def read_token(db: Path) -> str:
    """The secret of a new token with read access, created while the server runs."""
    command = [COMMAND, "token", "create", "reader", "--zone", ZONE, "--access", "read", "--json"]
    made = subprocess.run([*command, "--db", str(db)], check=True, capture_output=True)
    return json.loads(made.stdout)[0]["secret"]
