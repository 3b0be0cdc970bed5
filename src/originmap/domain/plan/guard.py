"""Guards: what a plan must not do without being told so.

A guard sees the plan of a zone and says what speaks against it, or nothing. What a guard needs
is in the plan, or there is no plan: a zone that cannot be listed as a whole has none.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from originmap.domain.mapping.mapping import MAX_MAPPINGS
from originmap.domain.plan.plan import Plan, ZonePlan

MASS_PERCENT = 30
"""How much of a zone's existing mappings may be changed or deleted at once."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a plan is not carried out, and what a person can do."""

    text: str
    hint: str


def objections(plan: Plan, *, allow_mass_change: bool = False) -> list[Objection]:
    """Everything that speaks against a plan."""
    return [each for zone in plan.zones for each in _of_zone(zone, allow_mass_change)]


def _of_zone(zone: ZonePlan, allow_mass_change: bool) -> Iterator[Objection]:
    after = zone.total + len(zone.creates) - len(zone.deletes)
    if after > MAX_MAPPINGS and zone.creates:
        yield Objection(
            f"{zone.name} would have {after:,} mappings, and a zone has {MAX_MAPPINGS:,} at most",
            "those that are ignored, adopted or not deleted count too",
        )
    touched = len(zone.updates) + len(zone.deletes)
    if touched * 100 > zone.existing * MASS_PERCENT and not allow_mass_change:
        yield Objection(
            f"{zone.name}: {touched:,} of {zone.existing:,} existing mappings would be changed or "
            f"deleted, which is more than {MASS_PERCENT} %",
            "if that is what you want, give --allow-mass-change",
        )
