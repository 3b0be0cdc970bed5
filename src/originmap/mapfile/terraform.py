"""Mappings for Terraform and OpenTofu: resources with `import` blocks.

The resource is `cloudflare_origin_cloud_region` of the provider cloudflare/cloudflare, 5.20 or
newer: one per origin IP, imported as ZONE_ID/ORIGIN_IP. Blocks of `import` need Terraform 1.5.
"""

import json
import re
from collections.abc import Iterable
from typing import NamedTuple, TextIO

from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.plan.plan import State
from originmap.domain.zone.name import lookup_name

TYPE = "cloudflare_origin_cloud_region"
_OTHER = re.compile("[^A-Za-z0-9-]+")

_HEADING = """\
terraform {
  required_providers {
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = ">= 5.20"
    }
  }
}
"""
_RESOURCE = """
resource "{type}" "{name}" {{
  zone_id   = "{zone_id}"
  origin_ip = "{origin_ip}"
  vendor    = {vendor}
  region    = {region}
}}
"""
_IMPORT = """
import {{
  to = {type}.{name}
  id = "{zone_id}/{origin_ip}"
}}
"""


class ExportedZone(NamedTuple):
    """A zone and its mappings; all of them are live, so all of them can be imported."""

    id: str
    name: str
    mappings: State


def write_terraform(zones: Iterable[ExportedZone], out: TextIO) -> None:
    """A resource and an import for each mapping, sorted."""
    out.write(_HEADING)
    for zone in zones:
        for address, place in sorted(zone.mappings.items()):
            words = {
                "type": TYPE,
                "name": resource_name(zone.name, address),
                "zone_id": zone.id,
                "origin_ip": addresses.text(address),
                "vendor": _string(place.vendor),
                "region": _string(place.region),
            }
            out.write(_RESOURCE.format(**words) + _IMPORT.format(**words))


def resource_name(zone: str, address: Address) -> str:
    """The name of a mapping's resource: the zone's and the address's, as one word. Zones are in
    A-labels, and addresses in hex where they are IPv6, so that no two have the same name."""
    text = addresses.text(address) if address[0] == 4 else address[1:].hex()
    return f"origin_{_OTHER.sub('_', lookup_name(zone))}_{_OTHER.sub('_', text)}"


def _string(text: str) -> str:
    """A string of HCL, in which nothing is a template."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
