"""Mappings for Pulumi: a program in YAML, with the import id of each resource.

The resource is `cloudflare:OriginCloudRegion` of Pulumi's Cloudflare provider, 6.18 or newer.
"""

from collections.abc import Iterable
from typing import TextIO

from originmap.domain.mapping import address as addresses
from originmap.mapfile.terraform import ExportedZone, resource_name
from originmap.mapfile.writer import quoted

_HEADING = """\
name: origin-cloud-regions
runtime: yaml
"""
_RESOURCE = """\
  {name}:
    type: cloudflare:OriginCloudRegion
    properties:
      zoneId: "{zone_id}"
      originIp: "{origin_ip}"
      vendor: {vendor}
      region: {region}
    options:
      import: "{zone_id}/{origin_ip}"
"""


def write_pulumi(zones: Iterable[ExportedZone], out: TextIO) -> None:
    """Write a resource for each mapping, sorted."""
    out.write(_HEADING)
    heading = "resources:\n"
    for zone in zones:
        for address, place in sorted(zone.mappings.items()):
            out.write(heading)
            heading = ""
            out.write(
                _RESOURCE.format(
                    name=resource_name(zone.name, address),
                    zone_id=zone.id,
                    origin_ip=addresses.text(address),
                    # In quotes, because a region can be called no, null or 007.
                    vendor=quoted(place.vendor),
                    region=quoted(place.region),
                )
            )
