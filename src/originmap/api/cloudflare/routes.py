"""The table of Cloudflare's routes. A literal segment wins over a parameter in its place."""

from originmap.api.auth import Guard
from originmap.api.cloudflare.batch import MappingBatch
from originmap.api.cloudflare.mappings import MappingItem, MappingList
from originmap.api.cloudflare.supported_regions import SupportedRegions
from originmap.service.mappings import Mappings
from originmap.service.regions import Regions

BASE = "/client/v4"
_REGIONS = BASE + "/zones/{zone_id:hex32}/origin/cloud_regions"


def routes(guard: Guard, mappings: Mappings, regions: Regions) -> dict[str, object]:
    """Each path template with what answers there."""
    return {
        _REGIONS: MappingList(guard, mappings),
        _REGIONS + "/batch": MappingBatch(guard, mappings),
        _REGIONS + "/supported_regions": SupportedRegions(guard, regions),
        _REGIONS + "/{origin_ip}": MappingItem(guard, mappings),
    }
