"""Rollback: restores the mappings of a zone at an earlier revision."""

from collections.abc import Mapping as MappingABC

from originmap.domain.errors import ZoneChanging
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Decide, Decision, MappingChange, Place, ZoneView

Changes = tuple[MappingChange, ...]


def restore(places: MappingABC[Address, Place], *, dry_run: bool = False) -> Decide[Changes]:
    """Make `places` the complete mappings of the zone. The outcome is the changes, in the order of
    addresses; with `dry_run` they are not made.

    The view must contain every address of `places` and of the zone. Raises ZoneChanging if the
    zone has another address, which a concurrent write added.
    """

    def decide(view: ZoneView) -> Decision[Changes]:
        if view.count != len(view.current):
            raise ZoneChanging
        changes = tuple(
            MappingChange(address, before, after)
            for address in sorted({*places, *view.current})
            if (before := _place(view, address)) != (after := places.get(address))
        )
        return Decision(() if dry_run else changes, changes)

    return decide


def _place(view: ZoneView, address: Address) -> Place | None:
    stored = view.current.get(address)
    return stored.place if stored else None
