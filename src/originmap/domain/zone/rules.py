"""Rules that create, change and delete accounts, users and zones."""

from collections.abc import Callable, Iterable, Sequence
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
from originmap.domain.zone.pool import Pool, checked_pools
from originmap.domain.zone.zone import Switch, Zone, ZoneType

SettingName = Literal["tiered_cache", "smart_tiered_cache", "regional_tiered_cache"]
"""The members of a zone that are on or off."""


def create_zone(zone: Zone) -> RecordDecide[Zone]:
    """Add `zone`. Raises ZoneExists if a zone has its name, AccountNotFound."""

    def decide(records: RecordsView) -> RecordDecision[Zone]:
        if Key(Kind.ACCOUNT, zone.account_id) not in records:
            raise AccountNotFound(zone.account_id)
        if any(isinstance(r, Zone) and r.name == zone.name for r in records.values()):
            raise ZoneExists(zone.name)
        return RecordDecision((RecordChange(Key(Kind.ZONE, zone.id), None, zone),), zone)

    return decide


def pause_zone(zone_id: str, paused: bool, now: int) -> RecordDecide[Zone]:
    """Pause or unpause a zone. Raises ZoneNotFound."""
    return _change_zone(zone_id, lambda zone: replace(zone, paused=paused), now)


def retype_zone(zone_id: str, type_: ZoneType, now: int) -> RecordDecide[Zone]:
    """Change the type of a zone. Raises ZoneNotFound."""
    return _change_zone(zone_id, lambda zone: replace(zone, type=type_), now)


def name_zone_servers(zone_id: str, names: tuple[str, ...] | None, now: int) -> RecordDecide[Zone]:
    """Set the vanity name servers of a zone. Raises ZoneNotFound."""
    return _change_zone(zone_id, lambda zone: replace(zone, vanity_name_servers=names), now)


def switch_setting(zone_id: str, setting: SettingName, on: bool, now: int) -> RecordDecide[Zone]:
    """Set a setting of a zone. Raises ZoneNotFound.

    Setting the same value again changes nothing. Setting the default value for the first time is a
    change, because the setting has a time of modification then.
    """

    def switch(zone: Zone) -> Zone:
        stored: Switch = getattr(zone, setting)
        if stored.on == on and stored.modified_on is not None:
            return zone
        changes: dict[str, Any] = {setting: Switch(on, now)}
        return replace(zone, **changes)

    return _change_zone(zone_id, switch, now)


def set_pools(zone_id: str, pools: Iterable[Pool], now: int) -> RecordDecide[Zone]:
    """Replace the load-balancing pools of a zone. Raises ZoneNotFound, InvalidPools."""
    checked = checked_pools(pools)
    return _change_zone(zone_id, lambda zone: replace(zone, pools=checked), now)


def delete_zone(zone_id: str) -> RecordDecide[None]:
    """Remove a zone and, in the store, its mappings. Raises ZoneNotFound."""

    def decide(records: RecordsView) -> RecordDecision[None]:
        key = Key(Kind.ZONE, zone_id)
        if key not in records:
            raise ZoneNotFound(zone_id)
        return RecordDecision((RecordChange(key, records[key], None),), None)

    return decide


def add_missing(wanted: Sequence[tuple[Kind, Value]]) -> RecordDecide[None]:
    """Add those of `wanted` whose ids do not exist; do not change existing records."""

    def decide(records: RecordsView) -> RecordDecision[None]:
        changes = tuple(
            RecordChange(Key(kind, value.id), None, value)
            for kind, value in wanted
            if Key(kind, value.id) not in records
        )
        return RecordDecision(changes, None)

    return decide


def add_first(wanted: Sequence[tuple[Kind, Value]]) -> RecordDecide[None]:
    """Add those of `wanted` whose kind has no record yet."""

    def decide(records: RecordsView) -> RecordDecision[None]:
        existing = {key.kind for key in records}
        changes = tuple(
            RecordChange(Key(kind, value.id), None, value)
            for kind, value in wanted
            if kind not in existing
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
