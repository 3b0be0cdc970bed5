"""The regions, their upper tiers and their origins: GET /originmap/v1/regions."""

import msgspec

from originmap.api import envelope
from originmap.api.guard import Guard
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import arguments
from originmap.domain.access.permissions import READ_MAPPINGS
from originmap.service.tier.regions_in_use import RegionsInUse, RegionUse


class RegionList:
    """GET /originmap/v1/regions"""

    def __init__(self, guard: Guard, regions: RegionsInUse) -> None:
        self._guard = guard
        self._regions = regions

    async def list_regions(self, request: Request) -> Response:
        """Every region, with the origins in the zones that the caller can read."""
        arguments(request, ())
        zones = self._guard.access.readable_zones(request.caller, READ_MAPPINGS)
        revision = self._regions.revision
        found = list[msgspec.Raw]()
        async for piece in self._regions.turns.pieces(await self._regions.of(zones)):
            found += [envelope.raw(_region_json(use)) for use in piece]
        return Response(envelope.success({"revision": revision, "regions": found}))


def _region_json(use: RegionUse) -> dict[str, object]:
    region, tier = use.region, use.tier
    return {
        "vendor": use.place.vendor,
        "region": use.place.region,
        "title": region.title if region else use.place.region,
        "city": region.city if region else "",
        "country": region.country if region else "",
        "latitude": region.latitude if region else None,
        "longitude": region.longitude if region else None,
        "upper_tier_colos": [ranked.colo.code for ranked in tier.chosen] if tier else [],
        "reason": tier.reason if tier else "the region is not in the catalogue",
        "zones": [
            {
                "zone_id": each.zone.id,
                "name": each.zone.shown_name,
                "origins": each.origins,
                "mode": each.mode,
            }
            for each in use.zones
        ],
    }
