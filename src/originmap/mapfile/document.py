"""What the files of mappings say, before any name in it was looked up.

A document is filled by readers, file after file; what is named twice is a problem, not a
decision. Every entry knows where it was written.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from originmap.domain.errors import InvalidAddress
from originmap.domain.hostname import is_hostname
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.catalogue import Catalogue
from originmap.domain.mapping.mapping import Place
from originmap.domain.plan.selection import InvalidPattern, Pattern, pattern
from originmap.domain.zone.name import may_be_zone
from originmap.mapfile.errors import Problem, Where

AUTO = "auto"
"""The region of an origin whose region is to be looked up in published ranges."""


class WantedMapping(NamedTuple):
    """Where an origin is said to be. `region` may be AUTO, and `vendor` is empty where that is
    to be found too. Line and column are kept apart, since there may be very many."""

    place: Place
    comment: str
    file: str
    line: int
    column: int

    @property
    def auto(self) -> bool:
        """Whether the region is to be looked up."""
        return self.place.region == AUTO

    @property
    def where(self) -> Where:
        """Where it was written."""
        return Where(self.file, self.line, self.column)


@dataclass(slots=True)
class ZoneEntry:
    """What is said of one zone, named by id or name."""

    zone: str
    where: Where
    origins: dict[Address, WantedMapping] = field(default_factory=dict)
    hosts: dict[str, WantedMapping] = field(default_factory=dict)
    ignore: list[Pattern] = field(default_factory=list)
    adopt: list[Pattern] = field(default_factory=list)


class Document:
    """The zones of all files, and everything wrong with them so far."""

    def __init__(self, catalogue: Catalogue | None) -> None:
        """Regions are held against the catalogue, unless it is None."""
        self.zones: dict[str, ZoneEntry] = {}
        self.problems: list[Problem] = []
        self._catalogue = catalogue
        self._places: dict[tuple[str, str], Place | None] = {}

    def zone(self, name: str, where: Where) -> ZoneEntry:
        """The entry of a zone, the same one whichever file names it."""
        key = name.lower().rstrip(".")
        if not may_be_zone(key):
            self.problem(where, f"not the name or id of a zone: {name!r}")
        return self.zones.setdefault(key, ZoneEntry(key, where))

    def problem(self, where: Where, text: str) -> None:
        """Something is wrong there."""
        self.problems.append(Problem(where, text))

    def origin(
        self, zone: ZoneEntry, text: str, place: Place | None, comment: str, where: Where
    ) -> None:
        """An origin of a zone, by address or host name; None is a place that was refused."""
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
        elif place is not None:
            wanted = WantedMapping(place, comment, *where)
            if address is not None:
                zone.origins[address] = wanted
            else:
                zone.hosts[text.lower()] = wanted

    def place(self, vendor: str, region: str, where: Where) -> Place | None:
        """The place that two words name; None, and a problem, where there is none such."""
        key = (vendor, region)
        if key not in self._places:
            self._places[key] = self._known(vendor, region)
        found = self._places[key]
        if found is None:
            self.problem(where, self._unknown(vendor, region))
        return found

    def pattern(self, text: str, where: Where) -> Iterator[Pattern]:
        """The pattern that a text spells; nothing, and a problem, where it spells none."""
        try:
            yield pattern(text)
        except InvalidPattern as error:
            self.problem(where, str(error))

    def _known(self, vendor: str, region: str) -> Place | None:
        if region == AUTO:
            known = not vendor or self._catalogue is None or vendor in self._catalogue.vendors
        else:
            known = bool(vendor and region) and (
                self._catalogue is None or self._catalogue.knows(vendor, region)
            )
        return Place(vendor, region) if known else None

    def _unknown(self, vendor: str, region: str) -> str:
        if not vendor or not region:
            return f"the {'vendor' if not vendor else 'region'} is missing"
        vendors = self._catalogue.vendors if self._catalogue else ()
        if vendor not in vendors:
            return f"unknown vendor {vendor!r}; there are {', '.join(vendors)}"
        assert self._catalogue is not None
        names = [known.name for known in self._catalogue.regions(vendor)]
        near = difflib.get_close_matches(region, names, 2)
        guess = (
            f"; is it {' or '.join(near)}?"
            if near
            else f"; see originmap regions --vendor {vendor}"
        )
        return f"unknown region {region!r} of {vendor}{guess}"

    def _twice(self, where: Where, what: str, first: WantedMapping) -> None:
        self.problem(where, f"{what} is here twice; first at {first.where}")
