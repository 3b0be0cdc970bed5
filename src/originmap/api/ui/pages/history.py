"""The history of a zone or a mapping: who changed what and when, two revisions side by side, and
rolling back with a preview."""

from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import msgspec

from originmap.api.http.response import Response
from originmap.api.ui.inner import InnerAnswer, InnerRefused
from originmap.api.ui.mapping_plan import MappingPlan, PlannedChange, words
from originmap.api.ui.mapping_table import place_of, regions_for, upper_tiers
from originmap.api.ui.mount import BASE
from originmap.api.ui.visit import Visit
from originmap.domain.history.change import LAST_REVISION
from originmap.domain.number import whole

_PER_PAGE = 100
_OPERATORS = {"cli": "command line", "setup": "setup"}
_MOVED_ON = (
    "The zone has changed since the preview; nothing was rolled back. This is the preview now."
)


async def list_changes(visit: Visit) -> Response:
    """GET /ui/zones/{zone_id}/history, of one mapping with `ip`; older ones with `before`."""
    zone, ip = await _zone(visit), visit.query.get("ip", "").strip()
    before = whole(visit.query.get("before", ""), 1, LAST_REVISION)
    arguments: dict[str, object] = {"limit": _PER_PAGE}
    arguments |= {"ip": ip} if ip else {}
    arguments |= {"before": before} if before else {}
    url = f"/originmap/v1/zones/{zone['id']}/history?{urlencode(arguments)}"
    problems: list[str] = []
    try:
        changes = await visit.get(url)
    except InnerRefused as refused:
        if refused.status != 400:
            raise
        changes, problems = [], refused.problems
    return await visit.page(
        "history.html",
        400 if problems else 200,
        problems,
        zone=zone,
        ip=ip,
        changes=changes,
        older=changes[-1]["revision"] if len(changes) == _PER_PAGE else None,
        paged=before is not None,
        names=await _names(visit),
        writes=visit.rights.writes(zone["id"]),
    )


async def compare(visit: Visit) -> Response:
    """GET /ui/zones/{zone_id}/compare: the mappings of revisions `from` and `to` that differ."""
    zone = await _zone(visit)
    first, second = await _mappings_at(visit, "from"), await _mappings_at(visit, "to")
    changes = await visit.on_thread(_differences, first.places, second.places)
    return await visit.page(
        "compare.html",
        zone=zone,
        first=first,
        second=second,
        changes=changes,
        words=words,
        tiers=upper_tiers(await regions_for(visit, zone["id"])),
    )


async def preview_rollback(visit: Visit) -> Response:
    """GET /ui/zones/{zone_id}/rollback: what a rollback to revision `to` would change."""
    return await _preview(visit, visit.query.get("to", ""))


async def roll_back(visit: Visit) -> Response:
    """POST /ui/zones/{zone_id}/rollback: if the preview is still right."""
    to = visit.field("to")
    seen = await _ask(visit, to, dry_run=True)
    if _digest(seen.result["changes"]) != visit.field("seen"):
        return await _preview(visit, to, [_MOVED_ON])
    done = await _ask(visit, to, dry_run=False)
    count = len(done.result["changes"])
    text = f"Rolled back to revision {to}: {count:,} mapping{'' if count == 1 else 's'} changed."
    return visit.see(f"{BASE}/zones/{visit.arguments['zone_id']}/history", text)


class PastZone:
    """The mappings of a zone at a revision: VENDOR/REGION by address."""

    def __init__(self, revision: int, mappings: list[dict[str, Any]]) -> None:
        self.revision = revision
        self.places = {mapping["origin_ip"]: place_of(mapping) for mapping in mappings}


def _differences(first: dict[str, str], second: dict[str, str]) -> list[PlannedChange]:
    return [
        PlannedChange(ip, first.get(ip, ""), second.get(ip, ""))
        for ip in dict.fromkeys([*first, *second])
        if first.get(ip) != second.get(ip)
    ]


def _rollback_plan(changes: list[dict[str, Any]]) -> MappingPlan:
    planned = [
        PlannedChange(each["origin_ip"], _place(each["before"]), _place(each["after"]))
        for each in changes
    ]
    return MappingPlan(planned, 0, [])


async def _preview(visit: Visit, to: str, problems: list[str] | None = None) -> Response:
    zone = await _zone(visit)
    answer = await _ask(visit, to, dry_run=True)
    found = answer.result["changes"]
    tiers = upper_tiers(await regions_for(visit, zone["id"]))
    plan = await visit.on_thread(_rollback_plan, found)
    return await visit.page(
        "rollback.html",
        409 if problems else 200,
        problems,
        zone=zone,
        to=to,
        plan=plan,
        moves=plan.moves(tiers),
        tiers=tiers,
        words=words,
        seen=_digest(found),
    )


async def _ask(visit: Visit, to: str, *, dry_run: bool) -> InnerAnswer:
    revision = whole(to, 0, LAST_REVISION)
    if revision is None:
        raise InnerRefused(400, [f"{to[:40]!r} is not a revision."])
    url = f"/originmap/v1/zones/{visit.arguments['zone_id']}/rollback"
    return await visit.send("POST", url, {"to": revision, "dry_run": dry_run})


async def _mappings_at(visit: Visit, name: str) -> PastZone:
    """The mappings at the revision in an argument; those of now without it."""
    text = visit.query.get(name, "").strip()
    at = f"?{urlencode({'at': text})}" if text else ""
    found = await visit.get(f"/originmap/v1/zones/{visit.arguments['zone_id']}/mappings{at}")
    return PastZone(found["revision"], found["mappings"])


async def _names(visit: Visit) -> dict[str, str]:
    """The names of tokens by their IDs, if the visitor may know them."""
    if not visit.rights.makes_tokens:
        return _OPERATORS
    tokens = await visit.get("/originmap/v1/tokens")
    return _OPERATORS | {token["id"]: token["name"] for token in tokens}


async def _zone(visit: Visit) -> dict[str, Any]:
    zone: dict[str, Any] = await visit.get(f"/client/v4/zones/{visit.arguments['zone_id']}")
    return zone


def _digest(changes: list[dict[str, Any]]) -> str:
    return sha256(msgspec.json.encode(changes)).hexdigest()


def _place(place: dict[str, str] | None) -> str:
    return "" if place is None else place_of(place)
