"""Own regions: the regions that the operator adds to the packaged catalogue.

A database has one record of them, so that every process, replica and node has the same. A region
that a later release packages stays in the record, but the packaged one takes precedence.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from originmap.domain.mapping.catalogue import Catalogue, Region, RegionStatus
from originmap.domain.mapping.mapping import Place
from originmap.domain.mapping.own_region_errors import InvalidCatalogue
from originmap.domain.problems import first_problems

MAX_OWN_REGIONS = 2_000
"""Ten times the packaged regions; it bounds the work on the tiers of all regions."""
_MAX_CITY = 100
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_COUNTRY = re.compile("(?:[A-Z]{2})?")


@dataclass(frozen=True, slots=True)
class OwnRegion:
    """A region of the operator. `country` is an ISO 3166-1 alpha-2 code, "" like the city if
    unknown. The coordinates are in decimal degrees."""

    vendor: str
    region: str
    city: str
    country: str
    latitude: float
    longitude: float

    @property
    def place(self) -> Place:
        """The name of the region in mappings."""
        return Place(self.vendor, self.region)


@dataclass(frozen=True, slots=True)
class OwnRegions:
    """All own regions, sorted by vendor and name."""

    regions: tuple[OwnRegion, ...] = ()

    @property
    def id(self) -> str:
        """Constant: a database has one set of own regions."""
        return "catalogue"

    def by_place(self) -> dict[Place, OwnRegion]:
        """The regions by their names in mappings."""
        return {each.place: each for each in self.regions}


def is_name(text: str) -> bool:
    """Whether a vendor or region can have this name."""
    return bool(_NAME.fullmatch(text))


def check(regions: Iterable[OwnRegion]) -> OwnRegions:
    """Validate and sort regions. Raises InvalidCatalogue with the first 100 problems."""
    found = tuple(regions)
    problems = first_problems(_problems(found))
    if problems:
        raise InvalidCatalogue(problems)
    return OwnRegions(tuple(sorted(found, key=lambda each: each.place)))


def merged(packaged: Catalogue, own: OwnRegions) -> Catalogue:
    """The packaged regions, and the own regions that are not packaged."""
    if not own.regions:
        return packaged
    added = [_region(each) for each in own.regions if not packaged.knows(*each.place)]
    return Catalogue([*packaged.regions(), *added])


def _problems(regions: tuple[OwnRegion, ...]) -> Iterator[str]:
    if len(regions) > MAX_OWN_REGIONS:
        yield f"{len(regions):,} regions; the limit is {MAX_OWN_REGIONS:,}"
    seen: set[Place] = set()
    for index, each in enumerate(regions):
        at = f"region {index} ({each.vendor[:63]} {each.region[:63]})"
        for what, name in (("vendor", each.vendor), ("region", each.region)):
            if not is_name(name):
                yield f"{at}: {what} must be 1 to 63 of a-z, 0-9 and, inside, hyphens"
        if not _COUNTRY.fullmatch(each.country):
            yield f"{at}: country must be 2 capital letters, as in ISO 3166-1, or empty"
        if len(each.city) > _MAX_CITY or not each.city.isprintable():
            yield f"{at}: city must be at most {_MAX_CITY} printable characters"
        if not (-90 <= each.latitude <= 90 and -180 <= each.longitude <= 180):
            yield (
                f"{at}: {each.latitude}, {each.longitude} are not a latitude from -90 to 90 and a"
                " longitude from -180 to 180"
            )
        if each.place in seen:
            yield f"{at}: the region is there twice"
        seen.add(each.place)


def _region(own: OwnRegion) -> Region:
    return Region(
        own.vendor,
        own.region,
        own.city or own.region,
        own.city,
        own.country,
        own.latitude,
        own.longitude,
        RegionStatus.PUBLIC,
        "own region",
    )
