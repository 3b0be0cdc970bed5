"""The wave of cache misses that a plan makes: origins that get another upper tier.

A new upper tier starts with a cold cache. An origin without a mapping has no upper tier of its
own: any colo fills from it.
"""

from collections import Counter
from typing import NamedTuple

from originmap.domain.mapping.mapping import Place
from originmap.domain.plan.plan import Plan
from originmap.domain.tier.tier import Tiers


class Wave(NamedTuple):
    """So many origins of a zone move from one upper tier to another; None is any colo."""

    zone: str
    before: str | None
    after: str | None
    origins: int


def waves(plan: Plan, tiers: Tiers) -> list[Wave]:
    """Every move, the largest first."""
    found: Counter[tuple[str, str | None, str | None]] = Counter()
    for zone in plan.zones:
        for change in zone.changes:
            before, after = _colo(change.before, tiers), _colo(change.after, tiers)
            if before != after:
                found[zone.name, before, after] += 1
    made = [Wave(*key, origins) for key, origins in found.items()]
    return sorted(made, key=lambda w: (-w.origins, w.zone, w.before or "", w.after or ""))


def _colo(place: Place | None, tiers: Tiers) -> str | None:
    tier = None if place is None else tiers.of(place)
    return None if tier is None else tier.primary.colo.code
