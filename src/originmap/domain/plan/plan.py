"""A plan: what makes the mappings that there are into those that there shall be.

A plan is a value: sorted by zone and address, printable, with a digest. The digest is of every
difference and of what was live when they were found, so it changes with any of both, and a plan
that was saved can tell whether it is still the right one. Nothing here asks or writes anything.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, replace
from typing import NamedTuple

from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.batch import MAX_ITEMS
from originmap.domain.mapping.mapping import MAX_MAPPINGS, MappingChange, Place
from originmap.domain.plan.selection import EVERYTHING, Selection

State = MappingABC[Address, Place]
"""The mappings of a zone: there, or wanted."""


@dataclass(frozen=True, slots=True)
class ZonePlan:
    """What changes in one zone.

    `total` mappings are there, `existing` of them are not ignored, and `live` is the fingerprint
    of those that were selected. `adopted` are there, not in the file, and stay; `withheld` would
    be deleted if that were allowed. `conflicts` are in the file although a rule ignores what is
    there.
    """

    id: str
    name: str
    total: int
    existing: int
    live: str
    changes: tuple[MappingChange, ...]
    selection: Selection = EVERYTHING
    adopted: tuple[tuple[Address, Place], ...] = ()
    withheld: tuple[tuple[Address, Place], ...] = ()
    conflicts: tuple[Address, ...] = ()

    @property
    def creates(self) -> list[MappingChange]:
        """Mappings that come."""
        return [change for change in self.changes if change.before is None]

    @property
    def updates(self) -> list[MappingChange]:
        """Mappings that get another place."""
        return [change for change in self.changes if change.before and change.after]

    @property
    def deletes(self) -> list[MappingChange]:
        """Mappings that go."""
        return [change for change in self.changes if change.after is None]


@dataclass(frozen=True, slots=True)
class Plan:
    """The plans of some zones, sorted by name and id."""

    zones: tuple[ZonePlan, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not any(zone.changes for zone in self.zones)

    @property
    def digest(self) -> str:
        """SHA-256 of every difference and of what was live, in lower-case hex."""
        lines = (line for zone in sorted(self.zones, key=lambda z: z.id) for line in _lines(zone))
        return _sha256(lines)


class Batch(NamedTuple):
    """One request that writes: up to 100 changes of a zone, all deletions or none."""

    zone_id: str
    delete: bool
    changes: tuple[MappingChange, ...]


def plan_zone(
    id_: str, name: str, desired: State, live: State, selection: Selection = EVERYTHING
) -> ZonePlan:
    """What is to be done in a zone. The caller has refused what `desired` may not have."""
    known = {a: p for a, p in live.items() if not selection.ignores(a, p)}
    seen = {a: p for a, p in known.items() if selection.selects(a, p, desired.get(a))}
    changes: list[MappingChange] = []
    adopted: list[tuple[Address, Place]] = []
    withheld: list[tuple[Address, Place]] = []
    for address, place in desired.items():
        before = seen.get(address)
        mine = address not in live or address in seen
        if before != place and mine and selection.selects(address, before, place):
            changes.append(MappingChange(address, before, place))
    for address, place in seen.items():
        if address in desired:
            continue
        if selection.adopts(address, place):
            adopted.append((address, place))
        elif selection.delete:
            changes.append(MappingChange(address, place, None))
        else:
            withheld.append((address, place))
    return ZonePlan(
        id_,
        name,
        len(live),
        len(known),
        fingerprint(seen),
        tuple(sorted(changes)),
        selection,
        tuple(sorted(adopted)),
        tuple(sorted(withheld)),
        tuple(sorted(a for a in desired if a in live and a not in known)),
    )


def plan_of(zones: Iterable[ZonePlan]) -> Plan:
    """The plans of zones, in order."""
    return Plan(tuple(sorted(zones, key=lambda zone: (zone.name, zone.id))))


def replanned(saved: ZonePlan, live: State, *, begun: bool = False) -> ZonePlan:
    """A saved plan, made again of what is live now: equal where nothing changed meanwhile. Where
    the plan was `begun`, its changes that are live already are seen as not made yet."""
    after = {change.address: change.after for change in saved.changes}
    base = dict(live)
    for change in saved.changes if begun else ():
        if base.get(change.address) == change.after:
            _set(base, change.address, change.before)
    known = {a: p for a, p in base.items() if not saved.selection.ignores(a, p)}
    seen = {a: p for a, p in known.items() if saved.selection.selects(a, p, after.get(a))}
    changes = (MappingChange(a, base.get(a), place) for a, place in after.items())
    return replace(
        saved,
        total=len(base),
        existing=len(known),
        live=fingerprint(seen),
        changes=tuple(change for change in changes if change.before != change.after),
    )


def applied(changes: Iterable[MappingChange], state: State) -> State:
    """The state after some changes."""
    after = dict(state)
    for change in changes:
        _set(after, change.address, change.after)
    return after


def remaining(changes: Iterable[MappingChange], live: State) -> tuple[MappingChange, ...]:
    """The changes that are not live yet."""
    return tuple(change for change in changes if live.get(change.address) != change.after)


def batches(zone: ZonePlan) -> list[Batch]:
    """The requests that make the changes: as few as the API allows.

    New places come before deletions, so that an origin that moves to another address is never
    without a mapping; except where the zone would be too full for that.
    """
    upserts = [change for change in zone.changes if change.after is not None]
    new = sum(change.before is None for change in upserts)
    made = [*_batches(zone.id, False, upserts), *_batches(zone.id, True, zone.deletes)]
    return made if zone.total + new <= MAX_MAPPINGS else sorted(made, key=lambda b: not b.delete)


def fingerprint(state: State) -> str:
    """SHA-256 of mappings, whatever their order, in lower-case hex."""
    return _sha256(f"{addresses.text(a)} {shown(p)}" for a, p in sorted(state.items()))


def shown(place: Place | None) -> str:
    """A place as files and plans write it: vendor/region; "-" for none."""
    return "-" if place is None else f"{place.vendor}/{place.region}"


def _batches(zone_id: str, delete: bool, changes: Sequence[MappingChange]) -> Iterator[Batch]:
    for at in range(0, len(changes), MAX_ITEMS):
        yield Batch(zone_id, delete, tuple(changes[at : at + MAX_ITEMS]))


def _set(state: dict[Address, Place], address: Address, place: Place | None) -> None:
    if place is None:
        state.pop(address, None)
    else:
        state[address] = place


def _lines(zone: ZonePlan) -> Iterator[str]:
    yield f"zone {zone.id} {zone.existing} {zone.live}"
    for change in zone.changes:
        yield f"{addresses.text(change.address)} {shown(change.before)} {shown(change.after)}"


def _sha256(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()
