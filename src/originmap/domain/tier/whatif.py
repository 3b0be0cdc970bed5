"""What-if checks of a topology: the cold-cache moves that a change would cause."""

from collections.abc import Iterable
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Move:
    """Origins of a zone in one region whose colos change. The first colo is the upper tier.

    The move is `cold` only if the upper tier changes, because its cache is cold then.
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


def urgency(move: Move) -> tuple[bool, int, str, Place]:
    """The sort key of moves."""
    return not move.cold, -move.origins, move.zone_id, move.place
