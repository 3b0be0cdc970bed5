"""Mappings for Terraform and OpenTofu: resources with `import` blocks.

The resource is `cloudflare_origin_cloud_region` of the provider cloudflare/cloudflare, 5.20 or
newer: one per origin IP, imported as ZONE_ID/ORIGIN_IP. `import` blocks need Terraform 1.5, with
`for_each` 1.7.
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
_ESCAPES = {r"\b": r"\u0008", r"\f": r"\u000c"}

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
_HEADING_OF_MAP = _HEADING.replace("{\n", '{\n  required_version = ">= 1.7"\n\n', 1)
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
_EMPTY_MAP = """
locals {
  origin_cloud_regions = {}
}
"""
_OF_MAP = """
resource "{type}" "origin" {{
  for_each = local.origin_cloud_regions

  zone_id   = each.value.zone_id
  origin_ip = each.value.origin_ip
  vendor    = each.value.vendor
  region    = each.value.region
}}

import {{
  for_each = local.origin_cloud_regions

  to = {type}.origin[each.key]
  id = each.key
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


def write_terraform_map(zones: Iterable[ExportedZone], out: TextIO) -> None:
    """Write the mappings as one map, sorted, with one resource and one import block for all.

    The key is the import ID, ZONE_ID/ORIGIN_IP, because zones can share an address.
    """
    rows = []
    for zone in zones:
        for address, place in sorted(zone.mappings.items()):
            ip = addresses.text(address)
            values = {"zone_id": zone.id, "origin_ip": ip, **place._asdict()}
            members = ", ".join(f"{name} = {_string(value)}" for name, value in values.items())
            rows.append((_string(f"{zone.id}/{ip}"), members))
    width = max((len(key) for key, _ in rows), default=0)
    out.write(_HEADING_OF_MAP)
    out.write("\nlocals {\n  origin_cloud_regions = {\n" if rows else _EMPTY_MAP)
    out.writelines(f"    {key:{width}} = {{ {members} }}\n" for key, members in rows)
    out.write("  }\n}\n" if rows else "")
    out.write(_OF_MAP.format(type=TYPE))


def resource_name(zone: str, address: Address) -> str:
    """The name of a mapping's resource: the zone and the address as one word. It has the zone in
    A-labels, and IPv6 addresses in hex, so that no two mappings have the same name."""
    text = addresses.text(address) if address[0] == 4 else address[1:].hex()
    return f"origin_{_OTHER.sub('_', lookup_name(zone))}_{_OTHER.sub('_', text)}"


def _string(text: str) -> str:
    """A string of HCL without templates. Unlike JSON, HCL has no escapes for backspace and form
    feed."""
    quoted = json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    return re.sub(r"\\.", lambda match: _ESCAPES.get(match[0], match[0]), quoted)
