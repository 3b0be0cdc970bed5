"""Rules that make and change accounts, users and zones."""

from collections.abc import Sequence

from originmap.domain.errors import ZoneExists
from originmap.domain.record import (
    Key,
    Kind,
    RecordChange,
    RecordDecide,
    RecordDecision,
    RecordsView,
    Value,
)
from originmap.domain.zone import Zone


def create_zone(zone: Zone) -> RecordDecide[Zone]:
    """Add `zone`. Raises ZoneExists when one of that name is there."""

    def decide(records: RecordsView) -> RecordDecision[Zone]:
        if any(isinstance(r, Zone) and r.name == zone.name for r in records.values()):
            raise ZoneExists(zone.name)
        return RecordDecision((RecordChange(Key(Kind.ZONE, zone.id), None, zone),), zone)

    return decide


def add_missing(wanted: Sequence[tuple[Kind, Value]]) -> RecordDecide[None]:
    """Add those of `wanted` whose ids are not there; leave the others as they are."""

    def decide(records: RecordsView) -> RecordDecision[None]:
        changes = tuple(
            RecordChange(Key(kind, value.id), None, value)
            for kind, value in wanted
            if Key(kind, value.id) not in records
        )
        return RecordDecision(changes, None)

    return decide
