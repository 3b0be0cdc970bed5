"""A plan: the changes that turn the live mappings into the desired ones.

A plan is a value: sorted by zone and address, printable, with a digest. The digest covers every
change and the live mappings at the time of planning. It detects whether a saved plan is out of
date. Nothing here does I/O.
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
from originmap.domain.zone.pool import Pool

State = MappingABC[Address, Place]
"""The mappings of a zone, live or desired."""


class PoolsPlan(NamedTuple):
    """The live pools of a zone, and the desired ones, in canonical form."""

    before: tuple[Pool, ...]
    after: tuple[Pool, ...]

    @property
    def changes(self) -> list[tuple[str, Pool | None, Pool | None]]:
        """The name of each pool that differs, and the pool before and after."""
        before, after = ({pool.name: pool for pool in pools} for pools in self)
        return [
            (name, before.get(name), after.get(name))
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        ]


@dataclass(frozen=True, slots=True)
class ZonePlan:
    """The changes of one zone.

    The zone has `total` live mappings, of which `existing` are not ignored; `live` is the
    fingerprint of the selected ones. `adopted` mappings are live, not in the file, and stay;
    `withheld` ones would be deleted if deleting were on. `conflicts` are in the file although a
    rule ignores the live mapping.
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
    pools: PoolsPlan | None = None  # None if the file leaves pools alone

    @property
    def pool_changes(self) -> list[tuple[str, Pool | None, Pool | None]]:
        """The pools to add, change and remove."""
        return self.pools.changes if self.pools else []

    @property
    def size(self) -> int:
        """The number of changes."""
        return len(self.changes) + len(self.pool_changes)

    @property
    def writes(self) -> int:
        """The number of write requests."""
        return len(batches(self)) + bool(self.pool_changes)

    @property
    def creates(self) -> list[MappingChange]:
        """The mappings to create."""
        return [change for change in self.changes if change.before is None]

    @property
    def updates(self) -> list[MappingChange]:
        """The mappings to change."""
        return [change for change in self.changes if change.before and change.after]

    @property
    def deletes(self) -> list[MappingChange]:
        """The mappings to delete."""
        return [change for change in self.changes if change.after is None]


@dataclass(frozen=True, slots=True)
class Plan:
    """The plans of some zones, sorted by name and id."""

    zones: tuple[ZonePlan, ...]

    @property
    def empty(self) -> bool:
        """Whether the plan has no changes."""
        return not any(zone.size for zone in self.zones)

    @property
    def digest(self) -> str:
        """SHA-256 of every change and of the live mappings, in lower-case hex."""
        lines = (line for zone in sorted(self.zones, key=lambda z: z.id) for line in _lines(zone))
        return _sha256(lines)


class Batch(NamedTuple):
    """One write request: up to 100 changes of a zone, either all deletions or none."""

    zone_id: str
    delete: bool
    changes: tuple[MappingChange, ...]


def plan_zone(
    id_: str, name: str, desired: State, live: State, selection: Selection = EVERYTHING
) -> ZonePlan:
    """Plan the changes of a zone. The caller has validated `desired`."""
    managed = {a: p for a, p in live.items() if not selection.ignores(a, p)}
    selected = {a: p for a, p in managed.items() if selection.selects(a, p, desired.get(a))}
    changes: list[MappingChange] = []
    adopted: list[tuple[Address, Place]] = []
    withheld: list[tuple[Address, Place]] = []
    for address, place in desired.items():
        before = selected.get(address)
        mine = address not in live or address in selected
        if before != place and mine and selection.selects(address, before, place):
            changes.append(MappingChange(address, before, place))
    for address, place in selected.items():
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
        len(managed),
        fingerprint(selected),
        tuple(sorted(changes)),
        selection,
        tuple(sorted(adopted)),
        tuple(sorted(withheld)),
        tuple(sorted(a for a in desired if a in live and a not in managed)),
    )


def plan_of(zones: Iterable[ZonePlan]) -> Plan:
    """A plan of the given zones, sorted by name and id."""
    return Plan(tuple(sorted(zones, key=lambda zone: (zone.name, zone.id))))


def replanned(saved: ZonePlan, live: State, *, begun: bool = False) -> ZonePlan:
    """Compute a saved plan again from the current live mappings: equal if nothing has changed. If
    applying it has `begun`, its changes that are live already count as not applied."""
    after = {change.address: change.after for change in saved.changes}
    base = dict(live)
    for change in saved.changes if begun else ():
        if base.get(change.address) == change.after:
            _set(base, change.address, change.before)
    managed = {a: p for a, p in base.items() if not saved.selection.ignores(a, p)}
    selected = {a: p for a, p in managed.items() if saved.selection.selects(a, p, after.get(a))}
    changes = (MappingChange(a, base.get(a), place) for a, place in after.items())
    return replace(
        saved,
        total=len(base),
        existing=len(managed),
        live=fingerprint(selected),
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
    """The requests that apply the changes: as few as the API allows.

    Upserts come before deletions, so that an origin that moves to another address always has a
    mapping; deletions come first if the zone would exceed its limit otherwise.
    """
    upserts = [change for change in zone.changes if change.after is not None]
    new = sum(change.before is None for change in upserts)
    ordered = [*_batches(zone.id, False, upserts), *_batches(zone.id, True, zone.deletes)]
    if zone.total + new > MAX_MAPPINGS:
        ordered.sort(key=lambda batch: not batch.delete)
    return ordered


def fingerprint(state: State) -> str:
    """SHA-256 of mappings in any order, in lower-case hex."""
    return _sha256(f"{addresses.text(a)} {shown(p)}" for a, p in sorted(state.items()))


def shown(place: Place | None) -> str:
    """A place in the form of files and plans: vendor/region, or "-" for none."""
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
    for when, pools in zip(("before", "after"), zone.pools or ((), ()), strict=True):
        for pool in pools:
            yield f"pool {when} {pool.name} {' '.join(pool.members)}"


def _sha256(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()
