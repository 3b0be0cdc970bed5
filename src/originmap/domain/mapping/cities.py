"""Cities with their coordinates: the places of geofeeds, which have none."""

from collections.abc import Iterable
from typing import NamedTuple

from originmap.domain.detection.geofeed import folded


class City(NamedTuple):
    """A city. `country` is an ISO 3166-1 alpha-2 code. `subdivision` is an ISO 3166-2 code, or ""
    if the country has no other city of that name. The coordinates are in decimal degrees."""

    name: str
    country: str
    subdivision: str
    latitude: float
    longitude: float


class Cities:
    """Finds cities by name; the later of two equal ones counts."""

    def __init__(self, cities: Iterable[City]) -> None:
        self._cities = {_key(each.name, each.country, each.subdivision): each for each in cities}

    def find(self, name: str, country: str, subdivision: str) -> City | None:
        """The city of this name, regardless of case and accents. One with a subdivision is found
        only by it: there are a dozen places called Columbus."""
        exact = self._cities.get(_key(name, country, subdivision))
        return exact or self._cities.get(_key(name, country, ""))


def _key(name: str, country: str, subdivision: str) -> tuple[str, str, str]:
    return folded(name), country, subdivision
