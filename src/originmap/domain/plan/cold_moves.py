"""Cold-cache moves of a plan: origins whose upper tier changes.

The new upper tier starts with a cold cache. An origin without a mapping has no upper tier: any
colo fills from it.
"""

from collections import Counter
from typing import NamedTuple

from originmap.domain.mapping.mapping import Place
from originmap.domain.plan.plan import Plan
from originmap.domain.tier.tier import Tiers


class ColdMove(NamedTuple):
    """A number of origins of a zone move from one upper tier to another; None means any colo."""

    zone: str
    before: str | None
    after: str | None
    origins: int


def cold_moves(plan: Plan, tiers: Tiers) -> list[ColdMove]:
    """All moves of a plan, the largest first."""
    counts: Counter[tuple[str, str | None, str | None]] = Counter()
    for zone in plan.zones:
        for change in zone.changes:
            before, after = _colo(change.before, tiers), _colo(change.after, tiers)
            if before != after:
                counts[zone.name, before, after] += 1
    moves = [ColdMove(*key, origins) for key, origins in counts.items()]
    return sorted(moves, key=lambda m: (-m.origins, m.zone, m.before or "", m.after or ""))


def _colo(place: Place | None, tiers: Tiers) -> str | None:
    tier = None if place is None else tiers.of(place)
    return None if tier is None else tier.primary.colo.code
