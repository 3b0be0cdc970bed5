"""The topology: which colos the cache network consists of.

Owns what a colo is. Where the packaged ones are kept is left to originmap.data, and
which of them becomes the upper tier of a region to domain.tier.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Colo:
    """One data centre of the cache network.

    `code` is the IATA code that names it and is unique in a topology, `country` an
    ISO 3166-1 alpha-2 code. The coordinates are in decimal degrees.
    """

    code: str
    city: str
    country: str
    latitude: float
    longitude: float
