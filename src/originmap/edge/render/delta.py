"""Decides which mappings to read again after a change.

Files that are written zone by zone need the zones that changed. Files that are sorted by address
also need the changed addresses in all other zones, because another zone's mapping may count now.
"""

from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

from originmap.domain.history.change import Change
from originmap.domain.history.record import Kind, RecordChange
from originmap.domain.history.snapshot import MappingSelection
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import MappingChange
from originmap.domain.zone.zone import Zone
from originmap.export.node import zone_identity
from originmap.store.port import Store

_AT_ONCE = 1_000
_MOST_CHANGES = 10_000
_MOST_LOOKUPS = 300_000
"""Lookups of addresses in zones: about 0.3 s."""


class RevisionDelta(NamedTuple):
    """The difference to the newest revision: what to read of it."""

    revision: int
    selection: MappingSelection


async def delta_since(
    store: Store, generation: int, revision: int, zones: Iterable[Zone], *, by_address: bool
) -> RevisionDelta | None:
    """The difference to files of this generation and revision, with these zones. None if everything
    must be read: after a full sync, after too many changes, or with `by_address` if a zone's
    settings changed."""
    known = {zone.id: zone for zone in zones}
    others, mapped = set[str](), dict[str, set[Address]]()
    try:
        async for change in _changes(store, generation, revision):
            if isinstance(change.what, MappingChange):
                mapped.setdefault(change.zone_id, set()).add(change.what.address)
            elif change.what.key.kind is Kind.ZONE and not _is_same(change.what):
                # Of a zone that is created or deleted, each mapping has a change too.
                if by_address and change.what.before and change.what.after:
                    return None
                others.add(change.what.key.id)
    except _TooMuch:
        return None
    # The node does not serve a zone that is neither known nor new.
    changed = others | (mapped.keys() & known.keys())
    if 2 * len(changed) > max(len(known), 2):
        return None
    addresses = set[Address]()
    if by_address:
        addresses.update(*(mapped.get(zone_id, ()) for zone_id in changed))
        _add_pools(known.values(), changed, addresses)
    if len(addresses) * len(known) > _MOST_LOOKUPS:
        return None
    return RevisionDelta(store.revision, MappingSelection(frozenset(changed), frozenset(addresses)))


def _is_same(change: RecordChange) -> bool:
    """Whether files contain the same about a zone as before."""
    before, after = change.before, change.after
    return (
        isinstance(before, Zone)
        and isinstance(after, Zone)
        and zone_identity(before) == zone_identity(after)
    )


class _TooMuch(Exception):
    pass


async def _changes(store: Store, generation: int, revision: int) -> AsyncIterator[Change]:
    count = 0
    while True:
        chunk = await store.changes(revision, _AT_ONCE)
        if store.generation != generation or store.revision < revision:
            raise _TooMuch
        if not chunk:
            if store.revision != revision:
                raise _TooMuch
            return
        count += len(chunk)
        if chunk[0].revision != revision + 1 or count > _MOST_CHANGES:
            raise _TooMuch
        for change in chunk:
            yield change
        revision = chunk[-1].revision


def _add_pools(zones: Iterable[Zone], changed: set[str], addresses: set[Address]) -> None:
    """Add what changes through pools: all members of a zone that changed have other rows, and the
    row of a member depends on the whole pool."""
    pooled = [
        (zone.id, {address for pool in zone.pools for address in pool.addresses})
        for zone in zones
        if zone.pools
    ]
    for zone_id, members in pooled:
        if zone_id in changed:
            addresses |= members
    changed |= {zone_id for zone_id, members in pooled if members & addresses}
