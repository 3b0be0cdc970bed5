"""Changes of another database, checked before they are taken over: the same on every store.

They come in order, each on what the one before it left, and what each says was there before is
there. A store that has something else differs from its primary, and needs a full copy.
"""

from collections.abc import Iterable, Mapping, Sequence

from originmap.domain.errors import BrokenFeed
from originmap.domain.history.change import Change
from originmap.domain.history.record import Key, Kind, RecordChange, Value
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import MappingChange, Place

Asked = tuple[str, Address]
"""A zone by its id, and an address of it."""


def check_order(changes: Sequence[Change], revision: int) -> None:
    """Raises BrokenFeed unless `changes` are the next after `revision`, without a gap."""
    for expected, change in enumerate(changes, revision + 1):
        if change.revision != expected:
            raise BrokenFeed(f"change {expected} was to come, and {change.revision} came")


def asked(changes: Iterable[Change]) -> list[Asked]:
    """The addresses whose places `check_places` must know."""
    return list({(c.zone_id, c.what.address) for c in changes if isinstance(c.what, MappingChange)})


def check_places(stored: Mapping[Asked, Place], changes: Iterable[Change]) -> None:
    """Raises BrokenFeed unless each change of a mapping begins with the place that is there;
    `stored` has those that are there before the first of them."""
    now: dict[Asked, Place | None] = {}
    for change in changes:
        what = change.what
        if not isinstance(what, MappingChange):
            continue
        key = (change.zone_id, what.address)
        before = now[key] if key in now else stored.get(key)
        if before != what.before:
            where = f"{addresses.text(what.address)} of zone {change.zone_id}"
            raise BrokenFeed(
                f"change {change.revision} of {where} is of {_shown(what.before)},"
                f" and {_shown(before)} is stored here"
            )
        now[key] = what.after


def check_zones(zones: Iterable[str], sizes: Mapping[str, int], changes: Iterable[Change]) -> None:
    """Raises BrokenFeed for a mapping of a zone that is not there, and for a zone that goes with
    mappings in it; `zones` are there before the first change, `sizes` tells their mappings."""
    there, now = set(zones), dict(sizes)
    for change in changes:
        what, zone_id = change.what, change.zone_id
        if isinstance(what, MappingChange):
            if zone_id not in there:
                raise BrokenFeed(f"a mapping of a zone that is not there: {zone_id}")
            now[zone_id] = now.get(zone_id, 0) + (what.before is None) - (what.after is None)
        elif what.key.kind is Kind.ZONE and what.after is None:
            if now.pop(zone_id, 0):
                raise BrokenFeed(f"zone {zone_id} goes, and has other mappings here")
            there.discard(zone_id)
        elif what.key.kind is Kind.ZONE:
            there.add(zone_id)


def check_records(stored: Mapping[Key, Value], changes: Iterable[Change]) -> None:
    """Raises BrokenFeed unless each change of a record begins with the record that is there."""
    now: dict[Key, Value | None] = {}
    for change in changes:
        what = change.what
        if not isinstance(what, RecordChange):
            continue
        before = now[what.key] if what.key in now else stored.get(what.key)
        if before != what.before:
            kind, id_ = what.key
            raise BrokenFeed(
                f"change {change.revision} of {kind.value} {id_} is of another {kind.value}"
                " than is stored here"
            )
        now[what.key] = what.after


def _shown(place: Place | None) -> str:
    return "no place" if place is None else f"{place.vendor} {place.region}"
