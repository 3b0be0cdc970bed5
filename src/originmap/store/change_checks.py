"""Validation of changes from another database, shared by all stores.

Changes must come in order, and each must begin with the value that is stored. A store with another
value has diverged from its primary and needs a full sync.
"""

from collections.abc import Iterable, Mapping, Sequence

from originmap.domain.errors import BrokenFeed
from originmap.domain.history.change import Change
from originmap.domain.history.record import Key, Kind, RecordChange, Value
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import MappingChange, Place

MappingKey = tuple[str, Address]
"""The ID of a zone, and an address in it."""


def check_order(changes: Sequence[Change], revision: int) -> None:
    """Raises BrokenFeed unless `changes` follow `revision` without a gap."""
    for expected, change in enumerate(changes, revision + 1):
        if change.revision != expected:
            raise BrokenFeed(f"expected change {expected}, got change {change.revision}")


def changed_addresses(changes: Iterable[Change]) -> list[MappingKey]:
    """Return the addresses whose regions `check_places` needs."""
    return list({(c.zone_id, c.what.address) for c in changes if isinstance(c.what, MappingChange)})


def check_places(stored: Mapping[MappingKey, Place], changes: Iterable[Change]) -> None:
    """Raises BrokenFeed unless each change of a mapping begins with the stored region; `stored` has
    the regions before the first change."""
    now: dict[MappingKey, Place | None] = {}
    for change in changes:
        what = change.what
        if not isinstance(what, MappingChange):
            continue
        key = (change.zone_id, what.address)
        before = now[key] if key in now else stored.get(key)
        if before != what.before:
            target = f"{addresses.text(what.address)} of zone {change.zone_id}"
            raise BrokenFeed(
                f"change {change.revision} of {target} begins with {_region(what.before)},"
                f" but {_region(before)} is stored here"
            )
        now[key] = what.after


def check_zones(zones: Iterable[str], sizes: Mapping[str, int], changes: Iterable[Change]) -> None:
    """Raises BrokenFeed for a mapping in an unknown zone, and for the deletion of a zone that still
    has mappings. `zones` are the zones before the first change, `sizes` their numbers of
    mappings."""
    existing, now = set(zones), dict(sizes)
    for change in changes:
        what, zone_id = change.what, change.zone_id
        if isinstance(what, MappingChange):
            if zone_id not in existing:
                raise BrokenFeed(f"mapping in an unknown zone: {zone_id}")
            now[zone_id] = now.get(zone_id, 0) + (what.before is None) - (what.after is None)
        elif what.key.kind is Kind.ZONE and what.after is None:
            if now.pop(zone_id, 0):
                raise BrokenFeed(f"zone {zone_id} is deleted but still has mappings here")
            existing.discard(zone_id)
        elif what.key.kind is Kind.ZONE:
            existing.add(zone_id)


def check_records(stored: Mapping[Key, Value], changes: Iterable[Change]) -> None:
    """Raises BrokenFeed unless each change of a record begins with the stored record."""
    now: dict[Key, Value | None] = {}
    for change in changes:
        what = change.what
        if not isinstance(what, RecordChange):
            continue
        before = now[what.key] if what.key in now else stored.get(what.key)
        if before != what.before:
            kind, id_ = what.key
            raise BrokenFeed(
                f"change {change.revision} of {kind.value} {id_} does not begin with the"
                f" {kind.value} that is stored here"
            )
        now[what.key] = what.after


def _region(place: Place | None) -> str:
    return "no region" if place is None else f"{place.vendor} {place.region}"
