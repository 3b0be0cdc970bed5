"""What the map shows: the colos and the regions with origins, and what caches fill from.

The tables and the drawing have the same rows. Everything comes from the answers of the API to GET
/originmap/v1/topology and GET /originmap/v1/regions.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class MapFilter(NamedTuple):
    """The regions to show: their vendor, and parts of a zone's and of a region's name; "" for
    all."""

    zone: str = ""
    vendor: str = ""
    region: str = ""

    def takes(self, region: dict[str, Any]) -> bool:
        """Whether a region of the API is wanted."""
        names = (region["region"], region["title"], region["city"])
        return self.vendor in ("", region["vendor"]) and any(
            self.region.lower() in name.lower() for name in names
        )

    def takes_zone(self, zone: dict[str, Any]) -> bool:
        """Whether a zone of a region is wanted."""
        return self.zone.lower() in zone["name"].lower()


@dataclass(frozen=True, slots=True)
class RegionRow:
    """A region with origins. `colos` are its upper tier and fallbacks, of which the caches of
    `hinted` of its origins know; for the others, tiered cache is off or not smart."""

    vendor: str
    region: str
    title: str
    city: str
    country: str
    latitude: float | None
    longitude: float | None
    colos: tuple[str, ...]
    reason: str
    origins: int
    hinted: int
    zones: tuple[str, ...]

    @property
    def name(self) -> str:
        """Vendor and region."""
        return f"{self.vendor} {self.region}"


@dataclass(slots=True)
class ColoRow:
    """A colo, and the origins that it is the upper tier or a fallback of."""

    code: str
    city: str
    country: str
    latitude: float
    longitude: float
    state: str
    eligible: bool
    successor: str | None
    first: int = 0
    later: int = 0
    regions: list[str] = field(default_factory=list)  # that have it as upper tier


_SHOWN = (
    "code", "city", "country", "latitude", "longitude", "state", "eligible", "successor",
)  # fmt: skip
"""The members of a colo of the topology that a row has."""


class MapFacts(NamedTuple):
    """The rows of the map's two tables."""

    colos: list[ColoRow]
    regions: list[RegionRow]
    vendors: list[str]
    zones: list[str]


def map_facts(
    topology: dict[str, Any], regions: Iterable[dict[str, Any]], wanted: MapFilter
) -> MapFacts:
    """Return the rows, the regions with the most origins first; `vendors` and `zones` are the
    choices of the filter."""
    used = [region for region in regions if region["zones"]]
    rows = [_region_row(region, wanted) for region in used if wanted.takes(region)]
    rows = sorted((row for row in rows if row.origins), key=lambda row: (-row.origins, row.name))
    zones = sorted({zone["name"] for region in used for zone in region["zones"]})
    vendors = sorted({region["vendor"] for region in used})
    return MapFacts(_colo_rows(topology["colos"], rows), rows, vendors, zones)


def _region_row(region: dict[str, Any], wanted: MapFilter) -> RegionRow:
    zones = [zone for zone in region["zones"] if wanted.takes_zone(zone)]
    return RegionRow(
        region["vendor"],
        region["region"],
        region["title"],
        region["city"],
        region["country"],
        region["latitude"],
        region["longitude"],
        tuple(region["upper_tier_colos"]),
        region["reason"],
        sum(zone["origins"] for zone in zones),
        sum(zone["origins"] for zone in zones if zone["mode"] == "hint"),
        tuple(zone["name"] for zone in zones),
    )


def _colo_rows(colos: Sequence[dict[str, Any]], regions: Iterable[RegionRow]) -> list[ColoRow]:
    first, later = defaultdict[str, int](int), defaultdict[str, int](int)
    names = defaultdict[str, list[str]](list)
    for region in regions:
        if not region.hinted:
            continue
        for rank, code in enumerate(region.colos):
            (later if rank else first)[code] += region.hinted
            if rank == 0:
                names[code].append(region.name)
    return [
        ColoRow(
            **{name: colo[name] for name in _SHOWN},
            first=first[colo["code"]],
            later=later[colo["code"]],
            regions=names[colo["code"]],
        )
        for colo in sorted(colos, key=lambda colo: str(colo["code"]))
    ]
