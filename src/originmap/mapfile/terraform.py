"""Mappings for Terraform and OpenTofu: resources with `import` blocks, and what a state says.

The resource is `cloudflare_origin_cloud_region` of the provider cloudflare/cloudflare, 5.20 or
newer: one per origin IP, imported as ZONE_ID/ORIGIN_IP. Blocks of `import` need Terraform 1.5.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

import msgspec

from originmap.domain import address as addresses
from originmap.domain.address import Address
from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import Place
from originmap.domain.plan import State
from originmap.mapfile.errors import UnusableFile
from originmap.mapfile.writer import ZoneState

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
    """The name of a mapping's resource: the zone's and the address's, as one word. Addresses
    are in hex where they are IPv6, so that no two have the same name."""
    text = addresses.text(address) if address[0] == 4 else address[1:].hex()
    return f"origin_{_OTHER.sub('_', zone)}_{_OTHER.sub('_', text)}"


def _string(text: str) -> str:
    """A string of HCL, in which nothing is a template."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


class _Values(msgspec.Struct):
    zone_id: str = ""
    origin_ip: str = ""
    vendor: str = ""
    region: str = ""


class _Resource(msgspec.Struct):
    type: str
    address: str = ""
    mode: str = "managed"
    values: msgspec.Raw = msgspec.Raw(b"{}")


class _Module(msgspec.Struct):
    resources: list[_Resource] = []
    child_modules: list["_Module"] = []


class _Root(msgspec.Struct):
    root_module: _Module = msgspec.field(default_factory=_Module)


class _State(msgspec.Struct):
    values: _Root | None = None
    format_version: str = ""


def read_state(file: Path, data: bytes) -> list[ZoneState]:
    """The mappings in what `terraform show -json` printed, by zone id. Raises UnusableFile."""
    try:
        state = msgspec.json.decode(data, type=_State)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        hint = "it has to be what terraform show -json prints, not the state file itself"
        raise UnusableFile(str(file), f"not a state: {error}", hint) from error
    if not state.format_version:
        hint = "terraform show -json > state.json makes one"
        raise UnusableFile(str(file), "it has no format_version, so it is no such state", hint)
    zones: dict[str, dict[Address, Place]] = {}
    for resource in _resources(state.values.root_module if state.values else _Module()):
        if resource.type != TYPE or resource.mode != "managed":
            continue
        try:
            values = msgspec.json.decode(resource.values, type=_Values)
            address = addresses.parse(values.origin_ip)
        except (msgspec.MsgspecError, InvalidAddress) as error:
            raise UnusableFile(str(file), f"{resource.address}: {error}") from error
        zones.setdefault(values.zone_id, {})[address] = Place(values.vendor, values.region)
    return [ZoneState(zone, state) for zone, state in sorted(zones.items())]


def _resources(module: _Module) -> Iterator[_Resource]:
    yield from module.resources
    for child in module.child_modules:
        yield from _resources(child)
