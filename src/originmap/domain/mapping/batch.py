"""Rules for batches: up to 100 addresses, each on its own, applied together.

A bad item fails alone and the good ones are applied; only the zone's limit refuses the whole
request. Whatever an item fails with is the error that the single call would give. Of one address
named twice the first item counts; an item that failed makes no later one a duplicate.
"""

# Rules define a function for each request: its annotations shall cost nothing.
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from originmap.domain.errors import (
    DuplicateAddress,
    InvalidAddress,
    InvalidInput,
    MappingNotFound,
    OriginmapError,
    TooManyMappings,
    UnknownRegion,
)
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.catalogue import Catalogue
from originmap.domain.mapping.mapping import (
    MAX_MAPPINGS,
    Decide,
    Decision,
    MappingChange,
    Place,
    ZoneView,
)

MAX_ITEMS = 100
"""Items in one batch; published as maxItems."""


class Failed(NamedTuple):
    """An item that was not applied: its address as it shall be shown, and why."""

    origin_ip: str
    error: OriginmapError


class Outcome(NamedTuple):
    """What became of a batch, in the order of the request. Those that succeeded are with their new
    place after an upsert, and with their old one after a delete."""

    succeeded: dict[Address, Place]
    failed: tuple[Failed, ...]


class Sent(Protocol):
    """An item as it was sent; a member is None where it is missing or no string."""

    @property
    def origin_ip(self) -> str | None: ...
    @property
    def vendor(self) -> str | None: ...
    @property
    def region(self) -> str | None: ...


class Item(NamedTuple):
    """As `Sent`."""

    origin_ip: str | None
    vendor: str | None = None
    region: str | None = None


def check_upserts(items: Iterable[Sent], catalogue: Catalogue) -> Outcome:
    """What becomes of `items`, as far as can be told without a store: `upsert` may still refuse
    them all."""
    valid: dict[Address, Place] = {}
    failed: list[Failed] = []
    for item in items:
        address: Address | None = None
        try:
            address = addresses.parse(item.origin_ip)
            place = known_place(item.vendor, item.region, catalogue)
            if address in valid:
                raise DuplicateAddress
        except InvalidInput as error:
            failed.append(Failed(_shown(item.origin_ip, address), error))
        else:
            valid[address] = place
    return Outcome(valid, tuple(failed))


def known_place(vendor: str | None, region: str | None, catalogue: Catalogue) -> Place:
    """The place that `vendor` and `region` name, spelled exactly as the catalogue has them.

    Raises UnknownRegion.
    """
    place = catalogue.place(vendor, region)
    if place is None:
        raise UnknownRegion(vendor, region)
    return place


def upsert(checked: Outcome) -> Decide[Outcome]:
    """Create or replace every item that succeeds. Raises TooManyMappings, with nothing applied,
    when the zone would end with more than MAX_MAPPINGS."""

    def decide(view: ZoneView) -> Decision[Outcome]:
        changes = []
        created = 0
        for address, place in checked.succeeded.items():
            stored = view.current.get(address)
            before = stored.place if stored else None
            created += stored is None
            if before != place:
                changes.append(MappingChange(address, before, place))
        if created and view.count + created > MAX_MAPPINGS:
            raise TooManyMappings
        return Decision(tuple(changes), checked)

    return decide


def delete(texts: Sequence[str | None]) -> tuple[tuple[Address, ...], Decide[Outcome]]:
    """Remove the mapping of every address in `texts` that has one.

    Returns the addresses concerned, for the store to read, and the decide function.
    """
    parsed = [_parse_or_error(text) for text in texts]

    def decide(view: ZoneView) -> Decision[Outcome]:
        gone: dict[Address, Place] = {}
        failed: list[Failed] = []
        for text, address in zip(texts, parsed, strict=True):
            if isinstance(address, InvalidAddress):
                failed.append(Failed(_shown(text, None), address))
            elif address in gone:
                failed.append(Failed(_shown(text, address), DuplicateAddress()))
            elif address not in view.current:
                failed.append(Failed(_shown(text, address), MappingNotFound()))
            else:
                gone[address] = view.current[address].place
        changes = tuple(MappingChange(address, place, None) for address, place in gone.items())
        return Decision(changes, Outcome(gone, tuple(failed)))

    known = dict.fromkeys(a for a in parsed if not isinstance(a, InvalidAddress))
    return tuple(known), decide


def _parse_or_error(text: str | None) -> Address | InvalidAddress:
    try:
        return addresses.parse(text)
    except InvalidAddress as error:
        return error


def _shown(sent: str | None, address: Address | None) -> str:
    """Canonical where it parses, as sent where it does not, empty where it is no string."""
    if address is not None:
        return addresses.text(address)
    return sent or ""
