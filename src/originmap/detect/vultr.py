"""Vultr: the geofeed of its network, AS20473, as JSON (https://geofeed.constant.com/?json).

The regions are named after the places, as in a geofeed. Vultr also lists addresses that belong to
nobody, such as those of documentation; they are left out.
"""

import datetime

import msgspec

from originmap.detect.content import Content
from originmap.domain.detection import prefix
from originmap.domain.detection.geofeed import GeofeedEntry
from originmap.domain.detection.ranges import Publication, Range, merge

VENDOR = "vultr"
URL = "https://geofeed.constant.com/?json"

_NOBODYS = frozenset({"2001:2::/48", "2001:10::/28", "2001:db8::/32", "2002::/16"})
"""Benchmarks, ORCHID, documentation and 6to4, in the registry of special-purpose addresses."""


class _Row(msgspec.Struct):
    ip_prefix: str
    alpha2code: str
    region: str = ""
    city: str = ""


class _File(msgspec.Struct):
    updated: datetime.datetime
    subnets: list[_Row]


def read(content: Content) -> Publication:
    """Read the file. Raises ValueError."""
    file = msgspec.json.decode(content.data, type=_File)
    rows = (_range(row) for row in file.subnets if row.ip_prefix not in _NOBODYS)
    published = file.updated.replace(microsecond=0)
    if published.tzinfo is None:
        published = published.replace(tzinfo=datetime.UTC)
    return Publication(VENDOR, published.astimezone(datetime.UTC), merge(rows), nested=True)


def _range(row: _Row) -> Range:
    region = GeofeedEntry(0, row.ip_prefix, row.alpha2code, row.region, row.city).region
    return Range(prefix.parse_network(row.ip_prefix), VENDOR, region, ())
