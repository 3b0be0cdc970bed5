"""Geofeeds (RFC 8805): CSV files in which a network says where its prefixes are.

A line is `prefix,country,subdivision,city,postal code`; the last fields can be missing. A geofeed
names no regions, so they are named here after the place: `nl-nh-amsterdam`. Reading a feed for
detection and importing its regions into the catalogue so give the same names.
"""

import csv
import re
import unicodedata
from typing import NamedTuple

_MAX_NAME = 63
_LINE_END = re.compile("\r\n|\r|\n")
_NOWHERE = frozenset({"", "ZZ"})
"""Countries of prefixes that the network does not locate (RFC 8805 §2.1.1.2)."""


class GeofeedEntry(NamedTuple):
    """A line of a geofeed. `country` is an ISO 3166-1 alpha-2 code, `subdivision` an ISO 3166-2
    code or "", `city` free text or ""."""

    line: int
    prefix: str
    country: str
    subdivision: str
    city: str

    @property
    def region(self) -> str | None:
        """The name of the region; None if the network does not locate the prefix."""
        if self.country in _NOWHERE:
            return None
        return slug(f"{self.subdivision or self.country} {self.city}")


class InvalidGeofeed(ValueError):
    """Not a geofeed; the message names the line."""


def entries(text: str) -> list[GeofeedEntry]:
    """Read the lines of a geofeed, with line ends of any system, without comments and empty lines.
    Raises InvalidGeofeed."""
    found = []
    for number, line in enumerate(_LINE_END.split(text), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            (fields,) = csv.reader([line.strip()], strict=True, skipinitialspace=True)
        except (csv.Error, ValueError) as error:
            raise InvalidGeofeed(f"line {number}: not CSV: {error}") from None
        prefix, country, subdivision, city = [*(each.strip() for each in fields), "", "", ""][:4]
        country, subdivision = country.upper(), subdivision.upper()
        if not re.fullmatch("(?:[A-Z]{2})?", country):
            reason = f"{country[:20]!r} is not an ISO 3166-1 alpha-2 code"
            raise InvalidGeofeed(f"line {number}: {reason}")
        if subdivision and not re.fullmatch(f"{country}-[A-Z0-9]{{1,3}}", subdivision):
            subdivision = ""
        found.append(GeofeedEntry(number, prefix, country, subdivision, city))
    return found


def slug(text: str) -> str:
    """A text as a name of a region: a-z, 0-9 and hyphens."""
    return re.sub("[^a-z0-9]+", "-", folded(text))[:_MAX_NAME].strip("-")


def folded(text: str) -> str:
    """A text in lower case and without accents."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(each for each in decomposed if not unicodedata.combining(each)).lower()
