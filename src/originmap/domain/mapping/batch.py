"""Rules for batches: up to 100 items, checked one by one and applied together.

An invalid item fails alone and the valid ones are applied; only the zone's limit rejects the whole
request. An item fails with the same error as the single call. If an address occurs twice, the
first item counts; after a failed item, a later one with its address is not a duplicate.
"""

# Rules define a function for each request: postponed annotations cost nothing.
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
    """An item that was not applied: its address for the response, and the error."""

    origin_ip: str
    error: OriginmapError


class Outcome(NamedTuple):
    """The outcome of a batch, in the order of the request. Succeeded items have their new place
    after an upsert, and their old place after a delete."""

    succeeded: dict[Address, Place]
    failed: tuple[Failed, ...]


class Sent(Protocol):
    """An item of a request; a member is None if it is missing or not a string."""

    @property
    def origin_ip(self) -> str | None: ...
    @property
    def vendor(self) -> str | None: ...
    @property
    def region(self) -> str | None: ...


class Item(NamedTuple):
    """An item of a request, as a tuple."""

    origin_ip: str | None
    vendor: str | None = None
    region: str | None = None


def check_upserts(items: Iterable[Sent], catalogue: Catalogue) -> Outcome:
    """Check `items` as far as possible without a store; `upsert` can still reject the batch."""
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
            failed.append(Failed(_address_text(item.origin_ip, address), error))
        else:
            valid[address] = place
    return Outcome(valid, tuple(failed))


def known_place(vendor: str | None, region: str | None, catalogue: Catalogue) -> Place:
    """The place of `vendor` and `region`, which must be spelled exactly as in the catalogue.

    Raises UnknownRegion.
    """
    place = catalogue.place(vendor, region)
    if place is None:
        raise UnknownRegion(vendor, region)
    return place


def upsert(checked: Outcome) -> Decide[Outcome]:
    """Create or replace the mappings of all checked items. Raises TooManyMappings, and applies
    none, if the zone would have more than MAX_MAPPINGS."""

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
    """Remove the mappings of the addresses in `texts`.

    Returns the addresses that the store must read, and the decide function.
    """
    parsed = [_parse_or_error(text) for text in texts]

    def decide(view: ZoneView) -> Decision[Outcome]:
        deleted: dict[Address, Place] = {}
        failed: list[Failed] = []
        for text, address in zip(texts, parsed, strict=True):
            if isinstance(address, InvalidAddress):
                failed.append(Failed(_address_text(text, None), address))
            elif address in deleted:
                failed.append(Failed(_address_text(text, address), DuplicateAddress()))
            elif address not in view.current:
                failed.append(Failed(_address_text(text, address), MappingNotFound()))
            else:
                deleted[address] = view.current[address].place
        changes = tuple(MappingChange(address, place, None) for address, place in deleted.items())
        return Decision(changes, Outcome(deleted, tuple(failed)))

    valid = dict.fromkeys(a for a in parsed if not isinstance(a, InvalidAddress))
    return tuple(valid), decide


def _parse_or_error(text: str | None) -> Address | InvalidAddress:
    try:
        return addresses.parse(text)
    except InvalidAddress as error:
        return error


def _address_text(sent: str | None, address: Address | None) -> str:
    """The canonical text of an address, the text that was sent if it is invalid, or "" if it is
    not a string."""
    if address is not None:
        return addresses.text(address)
    return sent or ""
