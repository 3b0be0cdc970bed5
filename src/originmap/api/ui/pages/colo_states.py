"""Draining, taking down and activating colos: a preview, the change, and its undo."""

import hashlib
from collections import defaultdict
from typing import Any, NamedTuple

import msgspec

from originmap.api.http.response import Response
from originmap.api.ui.inner import InnerRefused
from originmap.api.ui.pages.map_drawing import ACTIONS, RegionMove, move_drawing
from originmap.api.ui.pages.map_facts import MapFilter, map_facts
from originmap.api.ui.pages.map_page import REGIONS, TOPOLOGY, render_map
from originmap.api.ui.state_undo import StateUndo, in_words
from originmap.api.ui.visit import Visit
from originmap.domain.number import counted

_WHATIF = "/originmap/v1/whatif"
MOST_MOVES = 500
"""Moves in the table of a preview."""
MOST_NAMES = 8
"""Colos that a preview names; more are counted."""
_CHANGED = "The topology has changed since the preview. Check the moves again."
_NOT_POSSIBLE = "The colos have changed since. There is nothing to undo."


class ZoneMoves(NamedTuple):
    """The number of origins of a zone that get another upper tier, or only other fallbacks."""

    name: str
    cold: int
    other: int


async def preview_states(visit: Visit) -> Response:
    """GET /ui/map/preview: what would move if each `colo` were in the state `to`."""
    to, codes = visit.query.get("to", ""), visit.request.query_arguments().get("colo", [])
    if problem := _problem(to, codes):
        return await render_map(visit, 400, [problem])
    return await _preview(visit, to, sorted(set(codes)))


async def set_states(visit: Visit) -> Response:
    """POST /ui/map/states: set each `colo` to the state `to`, if the topology is still the `seen`
    one."""
    to, codes = visit.field("to"), sorted(set(visit.fields.get("colo", [])))
    if problem := _problem(to, codes):
        return await render_map(visit, 400, [problem])
    topology = await visit.get(TOPOLOGY)
    if _digest(topology) != visit.field("seen"):
        return await _preview(visit, to, codes, 409, [_CHANGED])
    after = dict.fromkeys(codes, to)
    await visit.send("PATCH", TOPOLOGY, {"states": after})
    before = {colo["code"]: colo["state"] for colo in topology["colos"] if colo["code"] in after}
    visit.session.undo = StateUndo(before, after)
    return visit.see("/ui/", f"{in_words(after)} now.")


async def undo_states(visit: Visit) -> Response:
    """POST /ui/map/undo: take back the last change of this session."""
    undo, topology = visit.session.undo, await visit.get(TOPOLOGY)
    states = {colo["code"]: colo["state"] for colo in topology["colos"]}
    if undo is None or not undo.possible(states):
        return await render_map(visit, 409, [_NOT_POSSIBLE])
    await visit.send("PATCH", TOPOLOGY, {"states": dict(undo.before)})
    visit.session.undo = None
    return visit.see("/ui/", f"{in_words(undo.before)} again.")


def _problem(to: str, codes: list[str]) -> str:
    if to not in ACTIONS:
        return "Choose whether to drain, take down or activate."
    return "" if codes else "Select at least one colo."


async def _preview(
    visit: Visit, to: str, codes: list[str], status: int = 200, problems: list[str] | None = None
) -> Response:
    topology = await visit.get(TOPOLOGY)
    states = {colo["code"]: colo["state"] for colo in topology["colos"] if colo["code"] in codes}
    try:
        asked = {"states": dict.fromkeys(codes, to)}
        found = (await visit.send("POST", _WHATIF, asked)).result
    except InnerRefused as refused:
        return await render_map(visit, refused.status, refused.problems)
    regions = (await visit.get(REGIONS))["regions"]
    names = {zone["zone_id"]: zone["name"] for region in regions for zone in region["zones"]}
    facts = await visit.on_thread(map_facts, topology, regions, MapFilter())
    moves = await visit.on_thread(_by_region, found["moves"])
    zones = await visit.on_thread(_by_zone, found["moves"], names)
    drawing = await visit.on_thread(move_drawing, facts, moves, set(codes))
    return await visit.page(
        "map/preview.html",
        status,
        problems,
        to=to,
        codes=codes,
        shown=", ".join(codes) if len(codes) <= MOST_NAMES else counted(len(codes), "colo"),
        changes=[code for code in codes if states[code] != to],
        action=ACTIONS[to],
        found=found,
        moves=found["moves"][:MOST_MOVES],
        names=names,
        zones=zones,
        seen=_digest(topology),
        drawing=drawing,
    )


def _by_zone(moves: list[dict[str, Any]], names: dict[str, str]) -> list[ZoneMoves]:
    """The zones with moves, the most cold ones first."""
    cold, other = defaultdict[str, int](int), defaultdict[str, int](int)
    for move in moves:
        (cold if move["cold"] else other)[move["zone_id"]] += move["origins"]
    zones = [ZoneMoves(names.get(id_, id_), cold[id_], other[id_]) for id_ in {*cold, *other}]
    return sorted(zones, key=lambda zone: (-zone.cold, -zone.other, zone.name))


def _by_region(moves: list[dict[str, Any]]) -> dict[str, RegionMove]:
    """The moves of all zones together, by the name of the region; without those of pools, which
    can be in several."""
    found: dict[str, RegionMove] = {}
    for move in moves:
        if move["pool"] is not None:
            continue
        name = f"{move['vendor']} {move['region']}"
        origins = move["origins"] + (found[name].origins if name in found else 0)
        found[name] = RegionMove(tuple(move["before"]), tuple(move["after"]), origins)
    return found


def _digest(topology: object) -> str:
    """Identifies the topology that a preview is about."""
    return hashlib.sha256(msgspec.json.encode(topology)).hexdigest()[:32]
