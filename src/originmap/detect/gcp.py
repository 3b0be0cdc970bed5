"""Google Cloud: cloud.json (https://cloud.google.com/compute/docs/faq#find_ip_range).

The scope `global` holds the anycast addresses of load balancers. goog.json, which lists all of
Google's addresses, looks the same but has no scopes and is rejected.
"""

import datetime
from typing import Annotated

import msgspec

from originmap.detect.content import Content, Name
from originmap.domain.detection import prefix
from originmap.domain.detection.ranges import Publication, Range, merge

VENDOR = "gcp"
URL = "https://www.gstatic.com/ipranges/cloud.json"

_NO_REGION = "global"


class _Row(msgspec.Struct):
    scope: Name
    service: Name
    ipv4Prefix: str = ""
    ipv6Prefix: str = ""


class _File(msgspec.Struct):
    # Milliseconds since 1970 UTC; creationTime is a local time without a time zone.
    syncToken: Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{13}\Z")]
    prefixes: list[_Row]


def read(content: Content) -> Publication:
    """Read the file. Raises ValueError."""
    file = msgspec.json.decode(content.data, type=_File)
    published = datetime.datetime.fromtimestamp(int(file.syncToken) // 1000, datetime.UTC)
    return Publication(VENDOR, published, merge(map(_range, file.prefixes)))


def _range(row: _Row) -> Range:
    region = None if row.scope == _NO_REGION else row.scope
    return Range(prefix.parse(row.ipv4Prefix or row.ipv6Prefix), VENDOR, region, (row.service,))
