"""Packaged data: regions, the default topology, permission groups.

The only module that reads the CSV files in this package; README.md describes each file and its
sources. Each file is read once, on first use, not on import.
"""

import csv
import functools
from collections.abc import Iterator
from pathlib import Path

from originmap.data.regions_file import read_regions
from originmap.domain.access.permissions import PermissionGroup
from originmap.domain.mapping.catalogue import Catalogue, Region, RegionStatus
from originmap.domain.mapping.cities import City
from originmap.domain.tier.topology import Colo, Topology

_FOLDER = Path(__file__).parent
_VENDORS = ("aws", "azure", "gcp", "oci")
_SCOPES = {
    "account": "com.cloudflare.api.account",
    "bucket": "com.cloudflare.edge.r2.bucket",
    "user": "com.cloudflare.api.user",
    "zone": "com.cloudflare.api.account.zone",
}


_added: list[Region] = []


def add_regions(file: Path) -> None:
    """Add an operator's regions to the catalogue of the whole process. A packaged region takes
    precedence, so that a release can add one that the operator has already. Raises
    UnusableRegions."""
    _added[:] = read_regions(file, _VENDORS)
    catalogue.cache_clear()


@functools.cache
def catalogue() -> Catalogue:
    """All regions that a mapping can name."""
    regions = {(region.vendor, region.name): region for region in _added}
    packaged = list(_packaged())
    for region in packaged:
        regions.pop((region.vendor, region.name), None)
    return Catalogue([*packaged, *regions.values()])


def _packaged() -> Iterator[Region]:
    places = {(city.name, city.country): (city.latitude, city.longitude) for city in cities()}
    sources = {row["source"]: row["publication"] for row in _rows("sources.csv")}
    for vendor in _VENDORS:
        for row in _rows(f"{vendor}.csv"):
            yield Region(
                vendor,
                row["region"],
                row["title"],
                row["city"],
                row["country"],
                *places[row["city"], row["country"]],
                RegionStatus(row["status"]),
                sources[row["source"]],
            )


@functools.cache
def cities() -> tuple[City, ...]:
    """The metros of the packaged regions."""
    return tuple(
        City(
            row["city"],
            row["country"],
            row["subdivision"],
            float(row["latitude"]),
            float(row["longitude"]),
        )
        for row in _rows("places.csv")
    )


@functools.cache
def permission_groups() -> tuple[PermissionGroup, ...]:
    """All permission groups that a policy can name, sorted by scope and name."""
    return tuple(
        PermissionGroup(row["id"], row["name"], _SCOPES[row["scope"]])
        for row in _rows("permission_groups.csv")
    )


def topology() -> Topology:
    """The default topology: a colo in each large metropolitan area."""
    return Topology(hubs())


@functools.cache
def hubs() -> tuple[Colo, ...]:
    """The colos of the default topology, sorted by code."""
    return tuple(
        Colo(
            row["code"],
            row["city"],
            row["country"],
            float(row["latitude"]),
            float(row["longitude"]),
        )
        for row in _rows("hubs.csv")
    )


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = _FOLDER.joinpath(name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())
