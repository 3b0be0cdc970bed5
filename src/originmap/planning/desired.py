"""The desired state: a mappings file after all its names are resolved.

Zones are resolved to their IDs, hostnames to their addresses, and `auto` to a region. A name that
cannot be resolved is a problem of its line, and all problems are reported together. A mapping is
never skipped because of a problem: the plan would delete it.
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
from originmap.domain.zone.pool import Pool, checked_pools, pool_problems
from originmap.mapfile.document import AUTO, Document, WantedMapping, WantedPool, ZoneEntry
from originmap.mapfile.errors import Problem, WrongFile

Detect = Callable[[Address], Detection]
Resolve = Callable[[str], list[str]]
"""The addresses of a hostname, as text in any form. Raises OSError."""

_ID = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options that the command line adds to the files: which mappings to plan for, and
    whether the plan can delete mappings."""

    only: tuple[Pattern, ...] = ()
    delete: bool = True


@dataclass(slots=True)
class DesiredZone:
    """The desired mappings of a zone; `looked_up` holds those that needed a lookup."""

    id: str
    name: str
    entry: ZoneEntry
    selection: Selection
    looked_up: dict[Address, Place] = field(default_factory=dict)
    pools: tuple[Pool, ...] | None = None

    @property
    def mappings(self) -> dict[Address, Place]:
        """All mappings. Not cached, because there can be very many zones."""
        literal = {a: w.place for a, w in self.entry.origins.items() if not w.auto}
        return literal | self.looked_up


@dataclass(frozen=True, slots=True)
class Desired:
    """All zones, and the addresses of the resolved hostnames."""

    zones: tuple[DesiredZone, ...]
    pins: Mapping[str, tuple[Address, ...]]


class Lookup:
    """Resolves the names in documents. `detector` is called once, at the first `auto`."""

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
        """Resolve a document. Raises WrongFile, ClientError, RangesError."""
        self._problems = []
        zones = list(self._zones(document, wishes))
        for zone in zones:
            self._look_up(zone)
            self._check_ignored(zone)
            if zone.entry.pools is not None and not wishes.only:
                zone.pools = self._pools(zone.entry, zone.entry.pools)
        if self._problems:
            raise WrongFile(self._problems)
        return Desired(tuple(zones), dict(sorted(self._pins.items())))

    def _zones(self, document: Document, wishes: Wishes) -> Iterator[DesiredZone]:
        names = [zone for zone in document.zones if not _ID.fullmatch(zone)]
        zones = self._remote.zones_named(names) if names else {}
        first: dict[str, ZoneEntry] = {}
        for key, entry in document.zones.items():
            zone = zones.get(key, RemoteZone(key, key))
            other = first.setdefault(zone.id, entry)
            if other is not entry:
                self._problem(entry, f"{key} is the same zone as the one at {other.where}")
            selection = Selection(
                wishes.only, tuple(entry.ignore), tuple(entry.adopt), wishes.delete
            )
            yield DesiredZone(zone.id, zone.name, entry, selection)

    def _look_up(self, zone: DesiredZone) -> None:
        for address, wanted in zone.entry.origins.items():
            if wanted.auto and (place := self._detected(address, wanted)) is not None:
                zone.looked_up[address] = place
        mappings = zone.mappings if zone.entry.hosts else {}
        for host, wanted in zone.entry.hosts.items():
            for address in self._addresses(host, wanted):
                place = self._detected(address, wanted) if wanted.auto else wanted.place
                if place is not None and mappings.setdefault(address, place) != place:
                    text = f"{host} has the address {addresses.text(address)}"
                    other = shown(mappings[address])
                    self._problem(wanted, f"{text}, which another line maps to {other}")
                elif place is not None:
                    zone.looked_up[address] = place

    def _check_ignored(self, zone: DesiredZone) -> None:
        if not zone.selection.ignore:
            return
        for address, wanted in zone.entry.origins.items():
            if zone.selection.ignores(address, zone.looked_up.get(address, wanted.place)):
                text = addresses.text(address)
                self._problem(wanted, f"{text} is in the file, but an ignore rule matches it")

    def _pools(self, entry: ZoneEntry, wanted: Mapping[str, WantedPool]) -> tuple[Pool, ...]:
        """The pools of a zone, with groups and host names resolved to addresses."""
        pools, count = list[Pool](), len(self._problems)
        for name, pool in wanted.items():
            texts = pool.members
            if pool.group is not None:
                if pool.group not in entry.groups:
                    self._problem(pool, f"pool {name}: there is no group named {pool.group}")
                    continue
                texts = entry.groups[pool.group]
            members = (a for text in texts for a in self._members(text, pool))
            pools.append(Pool(name, tuple(map(addresses.text, members))))
        if len(self._problems) > count:
            return ()
        for problem in pool_problems(pools):
            self._problem(wanted.get(problem.pool, entry), problem.text)
        return checked_pools(pools) if len(self._problems) == count else ()

    def _members(self, text: str, pool: WantedPool) -> tuple[Address, ...]:
        try:
            return (addresses.parse(text),)
        except InvalidAddress:
            return self._addresses(text.lower(), pool)

    def _addresses(self, host: str, wanted: WantedMapping | WantedPool) -> tuple[Address, ...]:
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
        """The region that the published ranges prove, if the line allows it."""
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

    def _problem(self, at: WantedMapping | WantedPool | ZoneEntry, text: str) -> None:
        self._problems.append(Problem(at.where, text))


def proved(detection: Detection) -> tuple[Place | None, str]:
    """The region that the published ranges prove for an address; or None and the reason."""
    evidence = detection.evidence
    if evidence is None:
        return None, "it is in no published range"
    if detection.verdict is Verdict.EDGE_SERVICE:
        return None, f"it is an edge service of {evidence.vendor}, in front of an origin"
    if evidence.region is None:
        return None, f"{evidence.vendor} publishes no region for it"
    if not evidence.in_catalogue:
        return None, f"{evidence.vendor} {evidence.region} is not in the catalogue"
    return Place(evidence.vendor, evidence.region), ""


def _usable(texts: list[str]) -> Iterator[Address]:
    for text in texts:
        try:
            yield addresses.parse(text)
        except InvalidAddress:
            continue
