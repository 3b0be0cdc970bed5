"""Oracle Cloud: public_ip_ranges.json
(https://docs.oracle.com/en-us/iaas/Content/General/Concepts/addressranges.htm).

It lists no IPv6 prefixes, and no prefixes at all for some regions.
"""

import datetime

import msgspec

from originmap.detect.content import Content, Name
from originmap.domain.detection import prefix
from originmap.domain.detection.ranges import Publication, Range, merge

VENDOR = "oci"
URL = "https://docs.oracle.com/en-us/iaas/tools/public_ip_ranges.json"


class _Row(msgspec.Struct):
    cidr: str
    tags: list[Name]


class _Region(msgspec.Struct):
    region: Name
    cidrs: list[_Row]


class _File(msgspec.Struct):
    last_updated_timestamp: str  # UTC, without a time zone
    regions: list[_Region]


def read(content: Content) -> Publication:
    """Read the file. Raises ValueError."""
    file = msgspec.json.decode(content.data, type=_File)
    published = datetime.datetime.fromisoformat(file.last_updated_timestamp).replace(microsecond=0)
    rows = (
        Range(prefix.parse(row.cidr), VENDOR, region.region, tuple(row.tags))
        for region in file.regions
        for row in region.cidrs
    )
    return Publication(VENDOR, published.replace(tzinfo=datetime.UTC), merge(rows))
