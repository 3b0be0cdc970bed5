"""The catalogue: which regions of which vendors exist.

Owns what a region is and how one is looked up. Names are compared exactly as the
vendor writes them: another spelling is another name, and unknown. Where the regions
come from is left to originmap.data, which upper tier serves one to domain.tier.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from originmap.domain.mapping.mapping import Place


class RegionStatus(StrEnum):
    """Who may use a region."""

    PUBLIC = "public"
    GOV = "gov"
    CHINA = "china"
    SOVEREIGN = "sovereign"


@dataclass(frozen=True, slots=True)
class Region:
    """One region of one vendor.

    `name` is the vendor's identifier (`us-east-1`), `title` what it calls the region in
    text. City and coordinates are those of the metro, in decimal degrees, not of a
    building. `country` is an ISO 3166-1 alpha-2 code, `source` the publication that
    lists the region.
    """

    vendor: str
    name: str
    title: str
    city: str
    country: str
    latitude: float
    longitude: float
    status: RegionStatus
    source: str


class Catalogue:
    """A fixed set of regions, sorted by vendor and name."""

    __slots__ = ("_places", "_regions", "_vendors")

    def __init__(self, regions: Iterable[Region]) -> None:
        """Raises ValueError when two regions have the same vendor and name."""
        ordered = sorted(regions, key=lambda region: (region.vendor, region.name))
        self._regions = {(region.vendor, region.name): region for region in ordered}
        if len(self._regions) != len(ordered):
            raise ValueError("a region is in the catalogue twice")
        self._places: dict[tuple[str | None, str | None], Place] = {
            key: Place(*key) for key in self._regions
        }
        self._vendors = tuple(sorted({region.vendor for region in ordered}))

    @property
    def vendors(self) -> tuple[str, ...]:
        """Every vendor that has a region, sorted."""
        return self._vendors

    def regions(self, vendor: str | None = None) -> tuple[Region, ...]:
        """The regions of one vendor (none if it is unknown), or of all of them."""
        if vendor is None:
            return tuple(self._regions.values())
        return tuple(region for region in self._regions.values() if region.vendor == vendor)

    def find(self, vendor: str, name: str) -> Region | None:
        return self._regions.get((vendor, name))

    def knows(self, vendor: str, name: str) -> bool:
        """Whether a mapping may name this region."""
        return (vendor, name) in self._regions

    def place(self, vendor: str | None, name: str | None) -> Place | None:
        """The place of this region, None where a mapping must not name it. Asked on every write:
        one lookup, of a place that is there already."""
        return self._places.get((vendor, name))
