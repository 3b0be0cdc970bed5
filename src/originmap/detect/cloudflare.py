"""Cloudflare: its addresses, by the API (https://developers.cloudflare.com/api/resources/ips/).

All addresses are at the edge, in front of origins. The list has no date.
"""

import msgspec

from originmap.detect.content import Content
from originmap.domain.detection import prefix
from originmap.domain.detection.ranges import Publication, Range, merge

VENDOR = "cloudflare"
URL = "https://api.cloudflare.com/client/v4/ips"


class _Lists(msgspec.Struct):
    ipv4_cidrs: list[str]
    ipv6_cidrs: list[str]


class _File(msgspec.Struct):
    result: _Lists


def read(content: Content) -> Publication:
    """Read the file. Raises ValueError."""
    lists = msgspec.json.decode(content.data, type=_File).result
    texts = [*lists.ipv4_cidrs, *lists.ipv6_cidrs]
    rows = (Range(prefix.parse(text), VENDOR, None, ()) for text in texts)
    return Publication(VENDOR, content.modified, merge(rows))
