"""Guards: checks that stop a plan unless the user overrides them.

A guard takes the plan of a zone and returns its objections. The plan contains all data that a guard
needs: a zone that cannot be listed completely has no plan.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from originmap.domain.mapping.mapping import MAX_MAPPINGS
from originmap.domain.plan.plan import Plan, ZonePlan

MASS_PERCENT = 30
"""The share of a zone's existing mappings that a plan can change or delete."""


@dataclass(frozen=True, slots=True)
class Objection:
    """The reason why a plan is not applied, and a hint for the user."""

    text: str
    hint: str


def objections(plan: Plan, *, allow_mass_change: bool = False) -> list[Objection]:
    """All objections to a plan."""
    return [each for zone in plan.zones for each in _of_zone(zone, allow_mass_change)]


def _of_zone(zone: ZonePlan, allow_mass_change: bool) -> Iterator[Objection]:
    after = zone.total + len(zone.creates) - len(zone.deletes)
    if after > MAX_MAPPINGS and zone.creates:
        yield Objection(
            f"{zone.name} would have {after:,} mappings; the limit is {MAX_MAPPINGS:,}",
            "remove some; mappings that are ignored, adopted or not deleted count too",
        )
    touched = len(zone.updates) + len(zone.deletes)
    if touched * 100 > zone.existing * MASS_PERCENT and not allow_mass_change:
        yield Objection(
            f"{zone.name}: {touched:,} of {zone.existing:,} existing mappings would be changed or "
            f"deleted, which is more than {MASS_PERCENT} %",
            "if that is what you want, give --allow-mass-change",
        )
