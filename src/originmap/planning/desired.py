"""What there shall be: a document whose names were looked up.

Zones get their ids, host names their addresses, `auto` its region. What cannot be looked up is
a problem of the line that names it, and all problems are told at once: a mapping left out for
such a reason would be a mapping deleted.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from originmap.client.mappings import RemoteMappings, RemoteZone
from originmap.domain.detection.detection import Detection, Verdict
from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place
from originmap.domain.plan.plan import shown
from originmap.domain.plan.selection import Pattern, Selection
from originmap.mapfile.document import AUTO, Document, WantedMapping, ZoneEntry
from originmap.mapfile.errors import Problem, WrongFile

Detect = Callable[[Address], Detection]
Resolve = Callable[[str], list[str]]
"""The addresses of a host name, in any spelling. Raises OSError."""

_ID = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line adds to the files: the mappings it is about, and whether any may
    be deleted."""

    only: tuple[Pattern, ...] = ()
    delete: bool = True


@dataclass(slots=True)
class DesiredZone:
    """What there shall be in a zone; `looked_up` comes to what its entry says by itself."""

    id: str
    name: str
    entry: ZoneEntry
    selection: Selection
    looked_up: dict[Address, Place] = field(default_factory=dict)

    @property
    def mappings(self) -> dict[Address, Place]:
        """Every mapping; made anew each time, since there may be very many zones."""
        said = {a: w.place for a, w in self.entry.origins.items() if not w.auto}
        return said | self.looked_up


@dataclass(frozen=True, slots=True)
class Desired:
    """All zones, and the addresses that host names had."""

    zones: tuple[DesiredZone, ...]
    pins: Mapping[str, tuple[Address, ...]]


class Lookup:
    """Looks the names of documents up. `detector` is asked for when the first `auto` is seen."""

    def __init__(
        self, remote: RemoteMappings, resolve: Resolve, detector: Callable[[], Detect]
    ) -> None:
        self._remote = remote
        self._resolve = resolve
        self._detector = detector
        self._detect: Detect | None = None
        self._pins: dict[str, tuple[Address, ...]] = {}
        self._problems: list[Problem] = []

    def desired(self, document: Document, wishes: Wishes = Wishes()) -> Desired:
        """What a document says there shall be. Raises WrongFile, ClientError, RangesError."""
        self._problems = []
        zones = list(self._zones(document, wishes))
        for zone in zones:
            self._look_up(zone)
            self._check_ignored(zone)
        if self._problems:
            raise WrongFile(self._problems)
        return Desired(tuple(zones), dict(sorted(self._pins.items())))

    def _zones(self, document: Document, wishes: Wishes) -> Iterator[DesiredZone]:
        names = [zone for zone in document.zones if not _ID.fullmatch(zone)]
        found = self._remote.zones_named(names) if names else {}
        first: dict[str, ZoneEntry] = {}
        for key, entry in document.zones.items():
            zone = found.get(key, RemoteZone(key, key))
            other = first.setdefault(zone.id, entry)
            if other is not entry:
                self._problem(entry, f"{key} is the zone that is here already; at {other.where}")
            selection = Selection(
                wishes.only, tuple(entry.ignore), tuple(entry.adopt), wishes.delete
            )
            yield DesiredZone(zone.id, zone.name, entry, selection)

    def _look_up(self, zone: DesiredZone) -> None:
        for address, wanted in zone.entry.origins.items():
            if wanted.auto and (place := self._detected(address, wanted)) is not None:
                zone.looked_up[address] = place
        said = zone.mappings if zone.entry.hosts else {}
        for host, wanted in zone.entry.hosts.items():
            for address in self._addresses(host, wanted):
                place = self._detected(address, wanted) if wanted.auto else wanted.place
                if place is not None and said.setdefault(address, place) != place:
                    where = (
                        f"{host} is {addresses.text(address)}, which is in {shown(said[address])}"
                    )
                    self._problem(wanted, f"{where} by another line")
                elif place is not None:
                    zone.looked_up[address] = place

    def _check_ignored(self, zone: DesiredZone) -> None:
        if not zone.selection.ignore:
            return
        for address, wanted in zone.entry.origins.items():
            if zone.selection.ignores(address, zone.looked_up.get(address, wanted.place)):
                text = addresses.text(address)
                self._problem(wanted, f"{text} is in the file, and a rule ignores it")

    def _addresses(self, host: str, wanted: WantedMapping) -> tuple[Address, ...]:
        if host not in self._pins:
            try:
                self._pins[host] = tuple(sorted(set(_usable(self._resolve(host)))))
            except (OSError, UnicodeError) as error:
                reason = (error.strerror if isinstance(error, OSError) else None) or error
                self._problem(wanted, f"cannot resolve {host}: {reason}")
                return ()
        if not self._pins[host]:
            self._problem(wanted, f"{host} has no address that an origin can have")
        return self._pins[host]

    def _detected(self, address: Address, wanted: WantedMapping) -> Place | None:
        """The place that published ranges prove, if it is one that the line allows."""
        if self._detect is None:
            self._detect = self._detector()
        detection = self._detect(address)
        place, reason = proved(detection)
        vendor = wanted.place.vendor
        if place is not None and vendor and vendor != place.vendor:
            place, reason = None, f"published ranges say {shown(place)}"
        if place is None:
            text = f"{AUTO} finds no region for {addresses.text(address)}: {reason}"
            self._problem(wanted, f"{text}; write its region")
        return place

    def _problem(self, at: WantedMapping | ZoneEntry, text: str) -> None:
        self._problems.append(Problem(at.where, text))


def proved(detection: Detection) -> tuple[Place | None, str]:
    """The place that published ranges prove of an address; or None, and why not."""
    found = detection.evidence
    if found is None:
        return None, "it is in no published range"
    if detection.verdict is Verdict.EDGE_SERVICE:
        return None, f"it is a service at the edge of {found.vendor}, in front of an origin"
    if found.region is None:
        return None, f"{found.vendor} publishes no region for it"
    if not found.in_catalogue:
        return None, f"{found.vendor} {found.region} is not in the catalogue"
    return Place(found.vendor, found.region), ""


def _usable(spelled: list[str]) -> Iterator[Address]:
    for text in spelled:
        try:
            yield addresses.parse(text)
        except InvalidAddress:
            continue
