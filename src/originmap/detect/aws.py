"""AWS: ip-ranges.json (https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-syntax.html).

A prefix is listed once for each service. AMAZON should include every prefix, but some EC2 prefixes
have no such row, so the rows of all services are read.
"""

import datetime
from collections.abc import Iterator

import msgspec

from originmap.detect.content import Content, Name
from originmap.domain.detection import prefix
from originmap.domain.detection.ranges import Publication, Range, merge

VENDOR = "aws"
URL = "https://ip-ranges.amazonaws.com/ip-ranges.json"

_NO_REGION = "GLOBAL"


class _Row(msgspec.Struct):
    region: Name
    service: Name
    network_border_group: Name


class _V4(_Row):
    ip_prefix: str


class _V6(_Row):
    ipv6_prefix: str


class _File(msgspec.Struct):
    createDate: str
    prefixes: list[_V4]
    ipv6_prefixes: list[_V6]


def read(content: Content) -> Publication:
    """Read the file. Raises ValueError."""
    file = msgspec.json.decode(content.data, type=_File)
    published = datetime.datetime.strptime(file.createDate, "%Y-%m-%d-%H-%M-%S")
    return Publication(VENDOR, published.replace(tzinfo=datetime.UTC), merge(_rows(file)))


def _rows(file: _File) -> Iterator[Range]:
    for v4 in file.prefixes:
        yield _range(v4.ip_prefix, v4)
    for v6 in file.ipv6_prefixes:
        yield _range(v6.ipv6_prefix, v6)


def _range(text: str, row: _Row) -> Range:
    region = None if row.region == _NO_REGION else row.region
    return Range(prefix.parse(text), VENDOR, region, (row.service,), row.network_border_group)
