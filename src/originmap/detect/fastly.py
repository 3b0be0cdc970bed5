"""Fastly: public-ip-list (https://www.fastly.com/documentation/reference/api/utils/public-ip-list/).

All addresses are at the edge, in front of origins. The list has no date.
"""

import msgspec

from originmap.detect.content import Content
from originmap.domain.detection import prefix
from originmap.domain.detection.ranges import Publication, Range, merge

VENDOR = "fastly"
URL = "https://api.fastly.com/public-ip-list"


class _File(msgspec.Struct):
    addresses: list[str]
    ipv6_addresses: list[str]


def read(content: Content) -> Publication:
    """Read the file. Raises ValueError."""
    file = msgspec.json.decode(content.data, type=_File)
    texts = [*file.addresses, *file.ipv6_addresses]
    rows = (Range(prefix.parse(text), VENDOR, None, ()) for text in texts)
    return Publication(VENDOR, content.modified, merge(rows))
