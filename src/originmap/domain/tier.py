"""Upper tiers: which colos should fill from an origin, the best one first.

Owns the rule, which knows distances and nothing else: the nearest colo is the upper
tier, and each fallback is the nearest one that is clear of all those before it, so that
one local failure never takes two of them. Which colos take part is the caller's choice.
"""

from collections.abc import Iterable
from math import asin, cos, radians, sin, sqrt
from typing import Protocol

from originmap.domain.topology import Colo

# Mean radius R1 of the Earth as IUGG defines it: (2a + b) / 3 of WGS 84.
EARTH_RADIUS_KM = 6371.0088


class Located(Protocol):
    """Anything with coordinates in decimal degrees, north and east positive."""

    @property
    def latitude(self) -> float: ...

    @property
    def longitude(self) -> float: ...


def distance_km(here: Located, there: Located) -> float:
    """The great-circle distance, by the haversine formula."""
    north, south = radians(here.latitude), radians(there.latitude)
    half_height = sin((north - south) / 2)
    half_width = sin(radians(here.longitude - there.longitude) / 2)
    haversine = half_height**2 + cos(north) * cos(south) * half_width**2
    # Rounding can lift the haversine of two antipodes above 1, where asin is undefined.
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(haversine)))


def upper_tiers(
    region: Located, colos: Iterable[Colo], apart_km: float = 150.0, count: int = 2
) -> tuple[Colo, ...]:
    """The upper tier of a region, then its fallbacks: at most `count` colos.

    Every one is at least `apart_km` away from each one before it; fewer come back when
    the colos do not allow more. Of two colos equally far from the region the one with
    the lower code comes first, so the order of `colos` never matters.
    """
    chosen: list[Colo] = []
    for colo in sorted(colos, key=lambda colo: (distance_km(region, colo), colo.code)):
        if len(chosen) >= count:
            break
        if all(distance_km(colo, earlier) >= apart_km for earlier in chosen):
            chosen.append(colo)
    return tuple(chosen)
