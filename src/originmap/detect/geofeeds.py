"""Vendors that publish a geofeed (RFC 8805): DigitalOcean, Linode, Hetzner, and operators' own.

A feed names places instead of regions; `domain.detection.geofeed` names regions after them. The
files look alike, so the caller knows the vendor. They have no date.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from originmap.detect.content import Content
from originmap.domain.detection import geofeed, prefix
from originmap.domain.detection.geofeed import GeofeedEntry, InvalidGeofeed
from originmap.domain.detection.ranges import Publication, Range, merge

URLS: Mapping[str, str] = MappingProxyType(
    {
        "digitalocean": "https://digitalocean.com/geo/google.csv",
        "hetzner": "https://www.hetzner.com/geofeed.csv",
        "linode": "https://geoip.linode.com/",
    }
)
"""The URL of each vendor's geofeed."""

_PREFIX = re.compile(rb"[0-9A-Fa-f:.]{2,45}(?:/[0-9]{1,3})?,")
_BEGINNING = 1 << 14


def looks_like_one(data: bytes) -> bool:
    """Whether the first line that is no comment starts with a prefix."""
    for line in data[:_BEGINNING].splitlines():
        if line.strip() and not line.lstrip().startswith(b"#"):
            return bool(_PREFIX.match(line))
    return False


def read(content: Content, vendor: str) -> Publication:
    """Read the geofeed of a vendor. Raises ValueError."""
    rows = (_range(entry, vendor) for entry in geofeed.entries(content.data.decode()))
    return Publication(vendor, content.modified, merge(rows), nested=True)


def _range(entry: GeofeedEntry, vendor: str) -> Range:
    try:
        network = prefix.parse_network(entry.prefix)
    except prefix.InvalidPrefix as error:
        raise InvalidGeofeed(f"line {entry.line}: {error}") from None
    return Range(network, vendor, entry.region, ())
