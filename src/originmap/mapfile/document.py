"""The content of mappings files, before zones and host names are looked up.

The readers fill a document, file by file. A duplicate is a problem, because neither of the two is
preferred. Every mapping carries its position in a file.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, NoReturn

from originmap.domain.errors import InvalidAddress
from originmap.domain.hostname import is_hostname
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.catalogue import Catalogue
from originmap.domain.mapping.mapping import MAX_MAPPINGS, Place
from originmap.domain.plan.selection import InvalidPattern, Pattern, pattern
from originmap.domain.zone.name import may_be_zone
from originmap.mapfile.errors import Problem, Where, WrongFile

AUTO = "auto"
"""The value of a region that is detected by published IP ranges."""


class WantedMapping(NamedTuple):
    """A mapping in a file. `place.region` can be AUTO; `place.vendor` is empty if the vendor is to
    be detected too. File, line and column are plain members to save memory."""

    place: Place
    comment: str
    file: str
    line: int
    column: int

    @property
    def auto(self) -> bool:
        """Whether the region must be detected."""
        return self.place.region == AUTO

    @property
    def where(self) -> Where:
        """The position of the mapping."""
        return Where(self.file, self.line, self.column)


class WantedPool(NamedTuple):
    """A pool in a file: its members by address or host name, or the name of a group."""

    members: list[str]
    group: str | None
    where: Where


@dataclass(slots=True)
class ZoneEntry:
    """The content of the files about one zone, which is named by id or name."""

    zone: str
    where: Where
    origins: dict[Address, WantedMapping] = field(default_factory=dict)
    hosts: dict[str, WantedMapping] = field(default_factory=dict)
    ignore: list[Pattern] = field(default_factory=list)
    adopt: list[Pattern] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=dict)
    pools: dict[str, WantedPool] | None = None  # None if the files leave pools alone


class Document:
    """The zones of all files, and all problems so far."""

    def __init__(self, catalogue: Catalogue | None) -> None:
        """Regions are checked against the catalogue, unless it is None."""
        self.zones: dict[str, ZoneEntry] = {}
        self.problems: list[Problem] = []
        self._catalogue = catalogue
        self._places: dict[tuple[str, str], Place | None] = {}

    def zone(self, name: str, where: Where) -> ZoneEntry:
        """The entry of a zone, the same for all files."""
        key = name.lower().rstrip(".")
        if not may_be_zone(key):
            self.problem(where, f"not a zone name or id: {name!r}")
        return self.zones.setdefault(key, ZoneEntry(key, where))

    def problem(self, where: Where, text: str) -> None:
        """Add a problem at this position."""
        self.problems.append(Problem(where, text))

    def origin(
        self, zone: ZoneEntry, text: str, place: Place | None, comment: str, where: Where
    ) -> None:
        """Add an origin of a zone, by address or host name; `place` is None if it is invalid.
        Raises WrongFile for more addresses than a zone can have."""
        try:
            address: Address | None = addresses.parse(text)
        except InvalidAddress:
            address = None
        if address is None and not is_hostname(text):
            self.problem(
                where, f"neither an IP address that an origin can have, nor a host name: {text!r}"
            )
        if address is not None and address in zone.origins:
            self._twice(where, addresses.text(address), zone.origins[address])
        elif address is None and text.lower() in zone.hosts:
            self._twice(where, text.lower(), zone.hosts[text.lower()])
        elif address is not None and len(zone.origins) >= MAX_MAPPINGS:
            self._too_many(zone, where)
        elif place is not None:
            wanted = WantedMapping(place, comment, *where)
            if address is not None:
                zone.origins[address] = wanted
            else:
                zone.hosts[text.lower()] = wanted

    def group(self, zone: ZoneEntry, name: str, origins: list[str], where: Where) -> None:
        """Name a group of origins, so that pools can use it."""
        if name in zone.groups:
            self.problem(where, f"there are two groups {name}: rename one")
        zone.groups[name] = origins

    def pool(self, zone: ZoneEntry, name: str, pool: WantedPool) -> None:
        """Add a pool of a zone."""
        pools = zone.pools = zone.pools or {}
        if name in pools:
            self.problem(pool.where, f"duplicate pool {name}; first at {pools[name].where}")
        for member in pool.members:
            if not (is_hostname(member) or _is_address(member)):
                text = "neither an IP address that an origin can have, nor a host name"
                self.problem(pool.where, f"pool {name}: {text}: {member!r}")
        pools.setdefault(name, pool)

    def place(self, vendor: str, region: str, where: Where) -> Place | None:
        """The place of a vendor and a region; None, and a problem, if there is no such place."""
        key = (vendor, region)
        if key not in self._places:
            self._places[key] = self._lookup(vendor, region)
        place = self._places[key]
        if place is None:
            self.problem(where, self._unknown(vendor, region))
        return place

    def pattern(self, text: str, where: Where) -> Iterator[Pattern]:
        """Parse a pattern; yields nothing, and adds a problem, if it is invalid."""
        try:
            yield pattern(text)
        except InvalidPattern as error:
            self.problem(where, str(error))

    def _lookup(self, vendor: str, region: str) -> Place | None:
        if region == AUTO:
            exists = not vendor or self._catalogue is None or vendor in self._catalogue.vendors
        else:
            exists = bool(vendor and region) and (
                self._catalogue is None or self._catalogue.knows(vendor, region)
            )
        return Place(vendor, region) if exists else None

    def _unknown(self, vendor: str, region: str) -> str:
        if not vendor or not region:
            return f"the {'vendor' if not vendor else 'region'} is missing"
        vendors = self._catalogue.vendors if self._catalogue else ()
        if vendor not in vendors:
            return f"unknown vendor {vendor!r}; use one of {', '.join(vendors)}"
        assert self._catalogue is not None
        names = [each.name for each in self._catalogue.regions(vendor)]
        similar = difflib.get_close_matches(region, names, 2)
        guess = (
            f"; is it {' or '.join(similar)}?"
            if similar
            else f"; see originmap regions --vendor {vendor}"
        )
        return f"unknown region {region!r} of {vendor}{guess}"

    def _too_many(self, zone: ZoneEntry, where: Where) -> NoReturn:
        """End the reading, which takes minutes for a file of some other kind with millions of
        rows."""
        text = f"more than {MAX_MAPPINGS:,} mappings in zone {zone.zone}, which is the limit"
        self.problem(where, text)
        raise WrongFile(self.problems)

    def _twice(self, where: Where, origin: str, first: WantedMapping) -> None:
        self.problem(where, f"duplicate {origin}; first at {first.where}")


def _is_address(text: str) -> bool:
    try:
        return bool(addresses.parse(text))
    except InvalidAddress:
        return False


def schema() -> str:
    """The JSON Schema of mappings files, for editors."""
    return Path(__file__).with_name("mappings.schema.json").read_text("utf-8")
