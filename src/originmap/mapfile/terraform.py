"""Mappings for Terraform and OpenTofu: resources with `import` blocks.

The resource is `cloudflare_origin_cloud_region` of the provider cloudflare/cloudflare, 5.20 or
newer: one per origin IP, imported as ZONE_ID/ORIGIN_IP. `import` blocks need Terraform 1.5.
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
    """A zone and its mappings. All of them are live, so all can be imported."""

    id: str
    name: str
    mappings: State


def write_terraform(zones: Iterable[ExportedZone], out: TextIO) -> None:
    """Write a resource and an import block for each mapping, sorted."""
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
    """The name of a mapping's resource: the zone and the address as one word. It has the zone in
    A-labels, and IPv6 addresses in hex, so that no two mappings have the same name."""
    text = addresses.text(address) if address[0] == 4 else address[1:].hex()
    return f"origin_{_OTHER.sub('_', lookup_name(zone))}_{_OTHER.sub('_', text)}"


def _string(text: str) -> str:
    """A string of HCL without templates."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
