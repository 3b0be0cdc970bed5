"""Fills a database file with many zones, through the project's own store but without HTTP.

Every mapping gets its change record and revision, as it would through the API.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from originmap.domain.history.change import Cause
from originmap.domain.history.record import Key, Kind, RecordChange, RecordDecision, RecordsView
from originmap.domain.mapping.address import parse
from originmap.domain.mapping.mapping import Decision, MappingChange, Place, ZoneView
from originmap.domain.zone.zone import Account, Zone
from originmap.service.initial_data import DEV_ID
from originmap.store.sqlite.store import SqliteStore

NewMappings = Callable[[int, range, ZoneView], Decision[None]]
"""Creates mappings of a zone, from its number and theirs."""

# As long as real request IDs, because a history has many of them.
_CAUSE = Cause(DEV_ID, "192.0.2.200", "8d7f6c5b4a392817-SIN")
_CREATED = 1_772_366_400_000_000  # 2026-03-01T12:00:00Z
# A region that no run writes, so that the first PUT of a mapping changes it.
_PLACE = Place("gcp", "us-central1")
_WRITES_AT_ONCE = 2_000
_PROGRESS_SECONDS = 10


def zone_id(zone: int) -> str:
    """The ID of zone number `zone`: scattered like random IDs."""
    return hashlib.sha256(f"zone {zone}".encode()).hexdigest()[:32]


def address(zone: int, index: int) -> str:
    """Origin IP number `index`, below 1,024, of zone number `zone`."""
    number = zone << 10 | index
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def fill(
    file: Path, zones: int, mappings: int, per_request: int, new_mappings: NewMappings | None = None
) -> None:
    """Create the database `file` with a number of zones and of mappings in each zone."""
    make_zones(file, zones)
    fill_zones(file, zones, mappings, per_request, new_mappings)


def make_zones(file: Path, zones: int) -> None:
    """Create the database `file` with a number of empty zones."""
    asyncio.run(_with_store(file, partial(_make_zones, zones)))


def fill_zones(
    file: Path, zones: int, mappings: int, per_request: int, new_mappings: NewMappings | None = None
) -> None:
    """Write the mappings of a number of zones, `per_request` of them at once."""
    new = new_mappings or _new_mappings
    asyncio.run(_with_store(file, partial(_fill_zones, zones, mappings, per_request, new)))


async def _with_store(file: Path, work: Callable[[SqliteStore], Awaitable[None]]) -> None:
    store = SqliteStore(file)
    try:
        await work(store)
    finally:
        await store.close()


async def _make_zones(zones: int, store: SqliteStore) -> None:
    await store.write_records(partial(_new_zones, zones), _CAUSE)


async def _fill_zones(
    zones: int, mappings: int, per_request: int, new_mappings: NewMappings, store: SqliteStore
) -> None:
    told = time.monotonic()
    per_zone = -(-mappings // per_request)
    at_once = max(_WRITES_AT_ONCE // per_zone, 1)
    for first in range(0, zones, at_once):
        some = range(first, min(first + at_once, zones))
        writes = [
            store.write(zone_id(zone), (), partial(new_mappings, zone, indexes), _CAUSE)
            for zone in some
            for indexes in _portions(mappings, per_request)
        ]
        await asyncio.gather(*writes)
        if time.monotonic() - told > _PROGRESS_SECONDS:
            told = time.monotonic()
            print(f"  filling: {some.stop:,} of {zones:,} zones", flush=True)


def _portions(total: int, size: int) -> list[range]:
    return [range(at, min(at + size, total)) for at in range(0, total, size)]


def _new_zones(zones: int, view: RecordsView) -> RecordDecision[None]:
    # `originmap dev` rejects a database with accounts of other users.
    account = Account(DEV_ID, "Example", _CREATED)
    changes = [RecordChange(Key(Kind.ACCOUNT, DEV_ID), None, account)]
    for number in range(zones):
        name, id_ = f"zone-{number}.example", zone_id(number)
        zone = Zone(id_, name, DEV_ID, _CREATED, _CREATED)
        changes.append(RecordChange(Key(Kind.ZONE, id_), None, zone))
    return RecordDecision(tuple(changes), None)


def _new_mappings(zone: int, indexes: range, view: ZoneView) -> Decision[None]:
    addresses = (parse(address(zone, index)) for index in indexes)
    changes = tuple(MappingChange(each, None, _PLACE) for each in addresses)
    return Decision(changes, None)
