"""Fills a database file with many zones, through the project's own store but without HTTP.

Every mapping gets its change record and revision, as it would through the API.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from originmap.domain.address import parse
from originmap.domain.change import Cause
from originmap.domain.mapping import Decision, MappingChange, Place, ZoneView
from originmap.domain.record import Key, Kind, RecordChange, RecordDecision, RecordsView
from originmap.domain.zone import Account, Zone
from originmap.service.setup import DEV_ID
from originmap.store.sqlite import SqliteStore

NewMappings = Callable[[int, int, ZoneView], Decision[None]]
"""Makes the mappings of a zone, from its number and how many there shall be."""

_CAUSE = Cause("bench", "", "fill")
_CREATED = 1_772_366_400_000_000  # 2026-03-01T12:00:00Z
# A place that no run writes, so that the first PUT of a mapping changes it.
_PLACE = Place("gcp", "us-central1")
_ZONES_AT_ONCE = 50
_PROGRESS_SECONDS = 10


def zone_id(zone: int) -> str:
    """The id of zone number `zone`: scattered, as random ids are."""
    return hashlib.sha256(f"zone {zone}".encode()).hexdigest()[:32]


def address(zone: int, index: int) -> str:
    """Origin IP number `index`, below 1,024, of zone number `zone`."""
    number = zone << 10 | index
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def fill(file: Path, zones: int, mappings: int, new_mappings: NewMappings | None = None) -> None:
    """Make the database `file` with so many zones of so many mappings each."""
    asyncio.run(_fill(file, zones, mappings, new_mappings or _new_mappings))


async def _fill(file: Path, zones: int, mappings: int, new_mappings: NewMappings) -> None:
    store = SqliteStore(file)
    told = time.monotonic()
    try:
        await store.write_records(partial(_new_zones, zones), _CAUSE)
        for first in range(0, zones, _ZONES_AT_ONCE):
            some = range(first, min(first + _ZONES_AT_ONCE, zones))
            decides = {zone: partial(new_mappings, zone, mappings) for zone in some}
            writes = [store.write(zone_id(zone), (), decides[zone], _CAUSE) for zone in some]
            await asyncio.gather(*writes)
            if time.monotonic() - told > _PROGRESS_SECONDS:
                told = time.monotonic()
                print(f"  filling: {some.stop:,} of {zones:,} zones", flush=True)
    finally:
        await store.close()


def _new_zones(zones: int, view: RecordsView) -> RecordDecision[None]:
    # `originmap dev` refuses a database in which anybody else has an account.
    account = Account(DEV_ID, "Example", _CREATED)
    changes = [RecordChange(Key(Kind.ACCOUNT, DEV_ID), None, account)]
    for number in range(zones):
        name, id_ = f"zone-{number}.example", zone_id(number)
        zone = Zone(id_, name, DEV_ID, _CREATED, _CREATED)
        changes.append(RecordChange(Key(Kind.ZONE, id_), None, zone))
    return RecordDecision(tuple(changes), None)


def _new_mappings(zone: int, mappings: int, view: ZoneView) -> Decision[None]:
    addresses = (parse(address(zone, index)) for index in range(mappings))
    changes = tuple(MappingChange(each, None, _PLACE) for each in addresses)
    return Decision(changes, None)
