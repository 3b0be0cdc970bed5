"""The drawing of the map as JSON for its script: what to show, in words, and where.

A city with origins is one circle, because vendors have regions in the same cities. Lines are
between positions; the script draws them the short way round.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from originmap.api.ui.pages.map_facts import ColoRow, MapFacts, RegionRow
from originmap.domain.number import counted

ACTIONS = {"draining": "Drain", "down": "Take down", "active": "Activate"}
"""What sets a colo to a state."""
PREVIEW = "/ui/map/preview"


class RegionMove(NamedTuple):
    """Origins in a region that get other colos, in all zones together."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    origins: int

    @property
    def cold(self) -> bool:
        """Whether the upper tier changes, so that its cache starts cold."""
        return self.before[:1] != self.after[:1]


def map_drawing(facts: MapFacts, *, operates: bool) -> dict[str, Any]:
    """Draw the colos, the regions, and the lines to their upper tiers and fallbacks."""
    lines = []
    for region in facts.regions:
        kinds = zip(region.colos, ["tier", *["fallback"] * len(region.colos)], strict=False)
        if region.hinted:
            lines += [(region, code, kind) for code, kind in kinds]
    return _drawing(facts.colos, facts.regions, _words_of_region, lines, operates=operates)


def move_drawing(
    facts: MapFacts, moves: Mapping[str, RegionMove], changing: Container[str]
) -> dict[str, Any]:
    """Draw only what moves, by the name of a region: the lines to the old and the new colos.
    `changing` has the codes of the colos whose state changes."""
    regions = [region for region in facts.regions if region.name in moves]
    lines = []
    for region in regions:
        move = moves[region.name]
        if move.cold:
            lines += [(region, code, "old") for code in move.before[:1]]
        lines += [(region, code, "tier") for code in move.after[:1]]
        lines += [(region, code, "fallback") for code in move.after[1:]]

    def words(region: RegionRow) -> str:
        move = moves[region.name]
        change = f"from {' then '.join(move.before)} to {' then '.join(move.after)}"
        cold = ", starting cold" if move.cold else ""
        return f"{region.name}: {counted(move.origins, 'origin')} {change}{cold}"

    drawing = _drawing(facts.colos, regions, words, lines, operates=False)
    for colo, row in zip(drawing["colos"], facts.colos, strict=True):
        colo["changes"] = row.code in changing
    return drawing | {"preview": True}


def _drawing(
    colos: Sequence[ColoRow],
    regions: Iterable[RegionRow],
    words: Callable[[RegionRow], str],
    lines: Iterable[tuple[RegionRow, str, str]],
    *,
    operates: bool,
) -> dict[str, Any]:
    cities = defaultdict[tuple[float, float], list[RegionRow]](list)
    for region in regions:
        if region.latitude is not None and region.longitude is not None:
            cities[region.latitude, region.longitude].append(region)
    at = {colo.code: (colo.latitude, colo.longitude) for colo in colos}
    drawn = {
        ((region.latitude, region.longitude), at[code], kind)
        for region, code, kind in lines
        if region.latitude is not None and code in at
    }
    return {
        "colos": [_colo(colo, operates=operates) for colo in colos],
        "cities": [
            {
                "at": position,
                "label": f"{rows[0].city}, {rows[0].country}",
                "origins": sum(row.origins for row in rows),
                "facts": [words(row) for row in rows],
            }
            for position, rows in cities.items()
        ],
        "lines": [{"from": a, "to": b, "kind": kind} for a, b, kind in sorted(drawn)],
        "preview": False,
    }


def _colo(colo: ColoRow, *, operates: bool) -> dict[str, Any]:
    facts = [colo.state if colo.eligible else f"{colo.state}, never an upper tier"]
    if colo.first:
        names = ", ".join(colo.regions[:5]) + (", …" if len(colo.regions) > 5 else "")
        facts.append(f"Upper tier of {counted(colo.first, 'origin')}: {names}")
    if colo.later:
        facts.append(f"Fallback of {counted(colo.later, 'origin')}")
    return {
        "at": (colo.latitude, colo.longitude),
        "label": f"{colo.code} {colo.city}, {colo.country}",
        "state": colo.state,
        "used": bool(colo.first or colo.later),
        "changes": False,
        "facts": facts,
        "actions": [
            {"text": f"{words} {colo.code}…", "url": f"{PREVIEW}?to={state}&colo={colo.code}"}
            for state, words in ACTIONS.items()
            if operates and state != colo.state
        ],
    }


def _words_of_region(region: RegionRow) -> str:
    tail = f"upper tier {region.colos[0]}" if region.hinted else "no upper tier"
    if region.hinted and len(region.colos) > 1:
        tail += f", fallback {' then '.join(region.colos[1:])}"
    return f"{region.name}: {counted(region.origins, 'origin')}, {tail}"
