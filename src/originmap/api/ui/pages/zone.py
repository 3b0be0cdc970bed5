"""The mappings of a zone: /ui/zones/{zone_id}."""

from originmap.api.http.response import Response
from originmap.api.ui.mapping_table import (
    PER_PAGE,
    contradictions,
    filter_of,
    mappings_of,
    place_of,
    regions_for,
    upper_tiers,
)
from originmap.api.ui.visit import Visit


async def show_zone(visit: Visit) -> Response:
    """GET /ui/zones/{zone_id}: a page of the mappings that match the filter."""
    zone_id, wanted = visit.arguments["zone_id"], filter_of(visit)
    zone = await visit.get(f"/client/v4/zones/{zone_id}")
    regions, mappings = await regions_for(visit, zone_id), await mappings_of(visit, zone_id)
    matching = await visit.on_thread(lambda: [each for each in mappings if wanted.matches(each)])
    published = {}
    if wanted.contradicts:
        published = await contradictions(visit, matching)
        matching = [mapping for mapping in matching if mapping["origin_ip"] in published]
    pages = max(-(-len(matching) // PER_PAGE), 1)
    page = min(visit.page_number, pages)
    return await visit.page(
        "zone.html",
        zone=zone,
        total=len(mappings),
        matching=len(matching),
        shown=matching[(page - 1) * PER_PAGE : page * PER_PAGE],
        published=published,
        wanted=wanted,
        page=page,
        pages=pages,
        regions=regions,
        tiers=upper_tiers(regions),
        used=sorted({place_of(mapping) for mapping in mappings}),
        writes=visit.rights.writes(zone_id),
    )
