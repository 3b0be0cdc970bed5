"""The supported regions: /zones/{zone_id}/origin/cloud_regions/supported_regions.

Published operation origin-cloud-regions-v2-supported-regions.
"""

from originmap.api import envelope
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.service.access.directory import Directory
from originmap.service.mapping.regions import Regions


class SupportedRegionRoutes:
    """GET …/cloud_regions/supported_regions"""

    def __init__(self, directory: Directory, regions: Regions) -> None:
        self._directory = directory
        self._regions = regions

    async def list_regions(self, request: Request) -> Response:
        """Every vendor's regions with their upper tiers, the preferred one first."""
        vendors: dict[str, list[dict[str, object]]] = {}
        zone = self._directory.existing_zone(request.zone_id)
        for region, colos in await self._regions.for_zone(zone):
            vendors.setdefault(region.vendor, []).append(
                {"name": region.name, "upper_tier_colos": colos}
            )
        return Response(envelope.success({"obtained_codes": True, "vendors": vendors}))
