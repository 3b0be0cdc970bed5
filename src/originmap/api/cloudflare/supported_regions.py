"""What can be mapped to: /zones/{zone_id}/origin/cloud_regions/supported_regions.

Published operation origin-cloud-regions-v2-supported-regions.
"""

from falcon.asgi import Request, Response

from originmap.api import envelope
from originmap.api.auth import Guard
from originmap.domain.access import READ_MAPPINGS
from originmap.service.regions import Regions


class SupportedRegions:
    """GET …/cloud_regions/supported_regions"""

    def __init__(self, guard: Guard, regions: Regions) -> None:
        self._guard = guard
        self._regions = regions

    async def on_get(self, req: Request, resp: Response, zone_id: str) -> None:
        """Every vendor's regions with their upper tiers, the primary first."""
        zone = self._guard.zone(req, READ_MAPPINGS, zone_id)
        vendors: dict[str, list[dict[str, object]]] = {}
        for region, colos in await self._regions.for_zone(zone):
            vendors.setdefault(region.vendor, []).append(
                {"name": region.name, "upper_tier_colos": colos}
            )
        resp.data = envelope.success({"obtained_codes": True, "vendors": vendors})
