"""Rules that make, change and remove accounts, users and zones."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

from originmap.domain.errors import AccountNotFound, ZoneExists, ZoneNotFound
from originmap.domain.history.record import (
    Key,
    Kind,
    RecordChange,
    RecordDecide,
    RecordDecision,
    RecordsView,
    Value,
)
from originmap.domain.zone.zone import Switch, Zone, ZoneType

SettingName = Literal["tiered_cache", "smart_tiered_cache", "regional_tiered_cache"]
"""Members of a zone that are switches."""


def create_zone(zone: Zone) -> RecordDecide[Zone]:
    """Add `zone`. Raises ZoneExists when one of that name is there, AccountNotFound."""

    def decide(records: RecordsView) -> RecordDecision[Zone]:
        if Key(Kind.ACCOUNT, zone.account_id) not in records:
            raise AccountNotFound(zone.account_id)
        if any(isinstance(r, Zone) and r.name == zone.name for r in records.values()):
            raise ZoneExists(zone.name)
        return RecordDecision((RecordChange(Key(Kind.ZONE, zone.id), None, zone),), zone)

    return decide


def pause_zone(zone_id: str, paused: bool, now: int) -> RecordDecide[Zone]:
    """Pause or resume a zone. Raises ZoneNotFound."""
    return _change_zone(zone_id, lambda zone: replace(zone, paused=paused), now)


def retype_zone(zone_id: str, type_: ZoneType, now: int) -> RecordDecide[Zone]:
    """Give a zone another type. Raises ZoneNotFound."""
    return _change_zone(zone_id, lambda zone: replace(zone, type=type_), now)


def name_zone_servers(zone_id: str, names: tuple[str, ...] | None, now: int) -> RecordDecide[Zone]:
    """Keep the vanity name servers of a zone. Raises ZoneNotFound."""
    return _change_zone(zone_id, lambda zone: replace(zone, vanity_name_servers=names), now)


def switch_setting(zone_id: str, setting: SettingName, on: bool, now: int) -> RecordDecide[Zone]:
    """Switch a setting of a zone. Raises ZoneNotFound.

    Setting what was set before changes nothing; setting a default for the first time does,
    because from then on somebody has set it.
    """

    def switch(zone: Zone) -> Zone:
        stored: Switch = getattr(zone, setting)
        if stored.on == on and stored.modified_on is not None:
            return zone
        changes: dict[str, Any] = {setting: Switch(on, now)}
        return replace(zone, **changes)

    return _change_zone(zone_id, switch, now)


def delete_zone(zone_id: str) -> RecordDecide[None]:
    """Remove a zone and, in the store, its mappings. Raises ZoneNotFound."""

    def decide(records: RecordsView) -> RecordDecision[None]:
        key = Key(Kind.ZONE, zone_id)
        if key not in records:
            raise ZoneNotFound(zone_id)
        return RecordDecision((RecordChange(key, records[key], None),), None)

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


def add_first(wanted: Sequence[tuple[Kind, Value]]) -> RecordDecide[None]:
    """Add those of `wanted` of whose kind there is none yet."""

    def decide(records: RecordsView) -> RecordDecision[None]:
        there = {key.kind for key in records}
        changes = tuple(
            RecordChange(Key(kind, value.id), None, value)
            for kind, value in wanted
            if kind not in there
        )
        return RecordDecision(changes, None)

    return decide


def _change_zone(zone_id: str, change: Callable[[Zone], Zone], now: int) -> RecordDecide[Zone]:
    def decide(records: RecordsView) -> RecordDecision[Zone]:
        key = Key(Kind.ZONE, zone_id)
        zone = records.get(key)
        if not isinstance(zone, Zone):
            raise ZoneNotFound(zone_id)
        if change(zone) == zone:
            return RecordDecision((), zone)
        changed = replace(change(zone), modified_on=now)
        return RecordDecision((RecordChange(key, zone, changed),), changed)

    return decide
