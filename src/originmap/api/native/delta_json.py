"""How the feed answers."""

from collections.abc import Sequence

from originmap.domain.change import Change
from originmap.feed.changes_json import ChangeJSON, DeltaJSON, changes_json
from originmap.service.feed import Delta
from originmap.service.turns import PIECE, Turns


def delta_json(delta: Delta) -> DeltaJSON:
    """A delta as JSON has it."""
    return _delta(delta, changes_json(delta.changes))


async def large_delta_json(delta: Delta, turns: Turns) -> DeltaJSON:
    """The same, in turns."""
    return _delta(delta, await all_changes_json(delta.changes, turns))


async def all_changes_json(changes: Sequence[Change], turns: Turns) -> list[ChangeJSON]:
    """How changes are written, in turns; the last of them is for writing down what this gives."""
    found = list[ChangeJSON]()
    if len(changes) > PIECE:
        async for piece in turns.pieces(changes):
            found += changes_json(piece)
        await turns.next()
        return found
    return changes_json(changes)


def _delta(delta: Delta, changes: list[ChangeJSON]) -> DeltaJSON:
    return DeltaJSON(
        delta.epoch, delta.since, delta.revision, bool(delta.reset), changes, delta.reset
    )
