"""Requests that create tokens and use them."""

from typing import Any

import httpx

from originmap.service import initial_data
from tests.api.answers import result
from tests.api.application import BASE, MAPPINGS

ACCOUNT = f"com.cloudflare.api.account.{initial_data.DEV_ID}"
ZONE = f"com.cloudflare.api.account.zone.{initial_data.DEV_ID}"
ZONE_READ = {"id": "c8fed203ed3043cba015a93ad1616f1f", "name": "Zone Read"}
SETTINGS_WRITE = {"id": "3030687196b94b638145a3953da2b699", "name": "Zone Settings Write"}
OF_USER, OF_ACCOUNT = f"{BASE}/user/tokens", f"{BASE}/accounts/{initial_data.DEV_ID}/tokens"
NOT_FOUND = (404, 1003, "Token not found")
UNAUTHENTIC = (401, 10000, "Authentication error")


def policy(*groups: dict[str, str], effect: str = "allow", **resources: Any) -> dict[str, Any]:
    return {
        "effect": effect,
        "permission_groups": list(groups or [ZONE_READ]),
        "resources": resources or {ZONE: "*"},
    }


def new_body(**members: Any) -> dict[str, Any]:
    return {"name": "made", "policies": [policy()], **members}


async def make(client: httpx.AsyncClient, url: str, **members: Any) -> Any:
    return result(await client.post(url, json=new_body(**members)))


def authorization(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def works(client: httpx.AsyncClient, secret: str) -> bool:
    return (await client.get(MAPPINGS, headers=authorization(secret))).status_code == 200
