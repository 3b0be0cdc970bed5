"""How the feed answers."""

from originmap.feed.changes_json import DeltaJSON, changes_json
from originmap.service.feed import Delta


def delta_json(delta: Delta) -> DeltaJSON:
    """A delta as JSON has it."""
    return DeltaJSON(
        delta.epoch,
        delta.since,
        delta.revision,
        bool(delta.reset),
        changes_json(delta.changes),
        delta.reset,
    )
