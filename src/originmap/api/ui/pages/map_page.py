"""The map: /ui/, with the same facts in tables."""

from collections import Counter
from functools import partial

from originmap.api.http.response import Response
from originmap.api.ui.pages.map_drawing import ACTIONS, map_drawing
from originmap.api.ui.pages.map_facts import MapFacts, MapFilter, map_facts
from originmap.api.ui.state_undo import in_words
from originmap.api.ui.visit import Visit
from originmap.domain.number import counted

TOPOLOGY = "/originmap/v1/topology"
REGIONS = "/originmap/v1/regions"
MOST_CHOICES = 500
"""Names of zones that the filter suggests."""


async def show_map(visit: Visit) -> Response:
    """GET /ui/; `zone`, `vendor` and `region` filter."""
    return await render_map(visit)


async def render_map(
    visit: Visit, status: int = 200, problems: list[str] | None = None
) -> Response:
    """The page with the map."""
    query = visit.query
    wanted = MapFilter(*(query.get(name, "").strip() for name in MapFilter._fields))
    topology = await visit.get(TOPOLOGY)
    answer = await visit.get(REGIONS)
    facts = await visit.on_thread(map_facts, topology, answer["regions"], wanted)
    states = {colo.code: colo.state for colo in facts.colos}
    undo = visit.session.undo
    drawing = await visit.on_thread(partial(map_drawing, facts, operates=visit.rights.operates))
    return await visit.page(
        "map/page.html",
        status,
        problems,
        facts=facts,
        summary=_summary(facts),
        wanted=wanted,
        zones=facts.zones[:MOST_CHOICES],
        revision=answer["revision"],
        drawing=drawing,
        actions=ACTIONS,
        undo=in_words(undo.before) if undo is not None and undo.possible(states) else "",
    )


def _summary(facts: MapFacts) -> str:
    """What is shown, and the colos that are not active."""
    states = Counter(colo.state for colo in facts.colos)
    zones = {zone for region in facts.regions for zone in region.zones}
    shown = [
        counted(sum(region.origins for region in facts.regions), "origin"),
        counted(len(facts.regions), "region"),
        counted(len(zones), "zone"),
    ]
    others = [f"{counted(states[state], 'colo')} {state}" for state in states if state != "active"]
    return "; ".join(["{} in {} and {}".format(*shown), *others]) + "."
