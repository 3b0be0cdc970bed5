"""The catalogue: the vendors and their regions.

Owns the type of a region and its lookup. Names are compared exactly as the vendor writes them:
another spelling is unknown. `originmap.data` provides the regions, and `domain.tier` chooses the
upper tier of a region.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

from originmap.domain.mapping.mapping import Place


class RegionStatus(StrEnum):
    """The customers that a region is open to."""

    PUBLIC = "public"
    GOV = "gov"
    CHINA = "china"
    SOVEREIGN = "sovereign"


class Region(NamedTuple):
    """One region of one vendor.

    `name` is the vendor's identifier (`us-east-1`), `title` its name for the region in text. City
    and coordinates (decimal degrees) are those of the metropolitan area, not of a building.
    `country` is an ISO 3166-1 alpha-2 code, `source` the publication that lists the region.
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
        """Raises ValueError if two regions have the same vendor and name."""
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
        """The regions of one vendor (none for an unknown one), or of all vendors."""
        if vendor is None:
            return tuple(self._regions.values())
        return tuple(region for region in self._regions.values() if region.vendor == vendor)

    def places(self) -> tuple[Place, ...]:
        """All regions as a mapping names them, in the same order."""
        return tuple(self._places.values())

    def find(self, vendor: str, name: str) -> Region | None:
        return self._regions.get((vendor, name))

    def knows(self, vendor: str, name: str) -> bool:
        """Whether a mapping can name this region."""
        return (vendor, name) in self._regions

    def place(self, vendor: str | None, name: str | None) -> Place | None:
        """The place of this region; None if a mapping cannot name it. Every write calls this: it
        is one lookup and creates no object."""
        return self._places.get((vendor, name))


CatalogueSource = Callable[[], Catalogue]
"""Returns the current catalogue: the same object until a region changes."""
