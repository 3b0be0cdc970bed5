"""Going back: a zone gets the mappings that it had."""

from collections.abc import Mapping as MappingABC

from originmap.domain.errors import ZoneChanging
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Decide, Decision, MappingChange, Place, ZoneView

Changes = tuple[MappingChange, ...]


def restore(places: MappingABC[Address, Place], *, dry_run: bool = False) -> Decide[Changes]:
    """Make `places` the mappings of the zone, all of them. The outcome is what that changes, in
    the order of addresses; with `dry_run` nothing else happens.

    Must be given every address of `places` and of the zone. Raises ZoneChanging where it was not:
    the zone has got another one since.
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
