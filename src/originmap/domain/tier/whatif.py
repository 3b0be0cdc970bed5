"""What would move if the topology changed: the wave of cache misses to expect, beforehand."""

from collections.abc import Iterable
from dataclasses import dataclass

from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.tier import Tiers


@dataclass(frozen=True, slots=True)
class Count:
    """How many origins of a zone are in a region."""

    zone_id: str
    place: Place
    origins: int


@dataclass(frozen=True, slots=True)
class Move:
    """Origins of a zone in one region whose colos change; the primary comes first in each.

    Only where the primary changes does the cache behind it start empty (`cold`).
    """

    zone_id: str
    place: Place
    origins: int
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def cold(self) -> bool:
        """Whether the upper tier itself changes."""
        return self.before[:1] != self.after[:1]


def moves(counts: Iterable[Count], before: Tiers, after: Tiers) -> list[Move]:
    """What changes between two sets of tiers, those that go cold first, the most origins first."""
    found = [
        Move(count.zone_id, count.place, count.origins, old, new)
        for count in counts
        if (old := before.codes(count.place)) != (new := after.codes(count.place))
    ]
    return sorted(found, key=urgency)


def urgency(move: Move) -> tuple[bool, int, str, Place]:
    """What moves are sorted by."""
    return not move.cold, -move.origins, move.zone_id, move.place
