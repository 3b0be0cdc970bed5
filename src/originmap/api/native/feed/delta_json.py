"""The JSON of the change feed."""

from collections.abc import Sequence

from originmap.domain.history.change import Change
from originmap.feed.changes_json import (
    ChangeJSON,
    DeltaJSON,
    SealedDelta,
    changes_json,
    moment,
    seal,
)
from originmap.service.feed.feed import Delta
from originmap.service.turns import PIECE, Turns


def delta_json(delta: Delta) -> SealedDelta:
    """Encode a delta, with the checksum of its changes."""
    return _sealed(delta, changes_json(delta.changes))


async def large_delta_json(delta: Delta, turns: Turns) -> SealedDelta:
    """Encode a large delta, in turns with other work."""
    return _sealed(delta, await all_changes_json(delta.changes, turns))


async def all_changes_json(changes: Sequence[Change], turns: Turns) -> list[ChangeJSON]:
    """Encode changes, in turns with other work; the last turn is left for the caller's encoding
    of the result."""
    found = list[ChangeJSON]()
    if len(changes) > PIECE:
        async for piece in turns.pieces(changes):
            found += changes_json(piece)
        await turns.next()
        return found
    return changes_json(changes)


def _sealed(delta: Delta, changes: list[ChangeJSON]) -> SealedDelta:
    epoch, since, revision, _, reason, since_at = delta
    at = None if since_at is None else moment(since_at)
    return seal(DeltaJSON(epoch, since, revision, bool(reason), changes, reason, at))
