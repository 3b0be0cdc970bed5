"""What-if checks of a topology: the cold-cache moves that a change would cause."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.resolution import Mode, resolve
from originmap.domain.tier.tier import Tiers
from originmap.domain.zone.zone import Zone


@dataclass(frozen=True, slots=True)
class Count:
    """The number of origins of a zone in a region."""

    zone_id: str
    place: Place
    origins: int


class PoolCount(NamedTuple):
    """The origins of a pool: their number, and the regions of those with a mapping."""

    zone_id: str
    pool: str
    origins: int
    places: tuple[Place, ...]

    def codes(self, tiers: Tiers) -> tuple[str, ...]:
        """The codes of the pool's upper tier and fallbacks; all eligible ones if no region is
        known."""
        tier = tiers.of_pool(self.places)
        return tiers.eligible if tier is None else tuple(r.colo.code for r in tier.chosen)


@dataclass(frozen=True, slots=True)
class Move:
    """Origins of a zone whose colos change: those in one region, or in one pool, for which `place`
    is None. The first colo is the upper tier.

    The move is `cold` only if the upper tier changes, because its cache is cold then.
    """

    zone_id: str
    place: Place | None
    origins: int
    before: tuple[str, ...]
    after: tuple[str, ...]
    pool: str | None = None

    @property
    def cold(self) -> bool:
        """Whether the upper tier itself changes."""
        return self.before[:1] != self.after[:1]


def moves(zone: Zone, counts: Iterable[Count], before: Tiers, after: Tiers) -> list[Move]:
    """The moves of a zone's origins from one set of tiers to another, cold ones first, then by
    number of origins. Only origins in mode hint have an upper tier to move from."""
    changed = [
        Move(zone.id, count.place, count.origins, old, new)
        for count in counts
        if resolve(zone, count.place, before).mode is Mode.HINT
        and (old := before.codes(count.place)) != (new := after.codes(count.place))
    ]
    return sorted(changed, key=urgency)


def pool_move(count: PoolCount, before: Tiers, after: Tiers) -> Move | None:
    """The move of a pool from one set of tiers to another, None if it does not move."""
    old, new = count.codes(before), count.codes(after)
    if old == new:
        return None
    return Move(count.zone_id, None, count.origins, old, new, count.pool)


def urgency(move: Move) -> tuple[bool, int, str, Place, str]:
    """The sort key of moves."""
    place = move.place or Place("", "")
    return not move.cold, -move.origins, move.zone_id, place, move.pool or ""
