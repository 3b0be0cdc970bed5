"""API tokens: the list, a form with the rights in words, and revoking."""

import re
from typing import Any
from urllib.parse import quote

from originmap.api.http.response import Response
from originmap.api.ui.inner import InnerRefused
from originmap.api.ui.mount import BASE
from originmap.api.ui.visit import Visit

_API = "/originmap/v1/tokens"
_LIST = f"{BASE}/tokens"
ACCESS = {
    "read": "Read mappings and settings of zones.",
    "write": "Read and change mappings and settings of zones.",
    "everything": "Every permission of your user: zones, tokens, topology, rollouts.",
    "edge": "For a cache node: read mappings, topology and the rollout, report what it serves.",
    "replicate": "For a replica: read everything, hashes of credentials too, and change nothing.",
}
"""The levels of access, in words."""
_NO_SUCH_ZONE = "One of the zones does not exist. Check the names."
_NO_ZONES = "Name the zones of the token, or enter all."


async def list_tokens(visit: Visit) -> Response:
    """GET /ui/tokens"""
    return await _show(visit)


async def create_token(visit: Visit) -> Response:
    """POST /ui/tokens: only this answer has the secret."""
    access, zones = visit.field("access"), re.split(r"[\s,;]+", visit.field("zones"))
    named = [zone for zone in zones if zone]
    if not named and access in ("read", "write"):
        return await _show(visit, [_NO_ZONES], 400)
    body = {
        "name": visit.field("name"),
        "access": access,
        "zones": [] if named == ["all"] else named,
        "colo": visit.field("colo"),
    }
    try:
        created = (await visit.send("POST", _API, body)).result
    except InnerRefused as refused:
        if refused.status not in (400, 403, 404):
            raise
        problems = [_NO_SUCH_ZONE] if refused.status == 404 else refused.problems
        return await _show(visit, problems, refused.status)
    return await _show(visit, created=created)


async def ask_to_revoke(visit: Visit) -> Response:
    """GET /ui/tokens/{token}/revoke"""
    wanted = visit.arguments["token"]
    token = next((each for each in await visit.get(_API) if each["id"] == wanted), None)
    if token is None:
        return await visit.page("refused.html", 404, ["There is no such token any more."])
    own = visit.request.caller.id == token["id"]
    return await visit.page("token_revoke.html", token=token, own=own, access=ACCESS)


async def revoke_token(visit: Visit) -> Response:
    """POST /ui/tokens/{token}/revoke: it stops working at once."""
    await visit.send("DELETE", f"{_API}/{quote(visit.arguments['token'], safe='')}")
    return visit.see(_LIST, "The token is revoked; it does not work any more.")


async def _show(
    visit: Visit,
    problems: list[str] | None = None,
    status: int = 200,
    created: dict[str, Any] | None = None,
) -> Response:
    zones = await visit.get("/client/v4/zones?per_page=50")
    return await visit.page(
        "tokens.html",
        status,
        problems,
        tokens=await visit.get(_API),
        created=created,
        access=ACCESS,
        zone_names={zone["id"]: zone["name"] for zone in zones},
        sent={name: visit.field(name) for name in ("name", "access", "zones", "colo")}
        if problems
        else dict.fromkeys(("name", "access", "zones", "colo"), ""),
    )
