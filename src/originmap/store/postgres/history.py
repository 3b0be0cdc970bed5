"""Changes and records in a PostgreSQL database: conversion between rows and values."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from originmap.domain.history.change import Cause, Change
from originmap.domain.history.record import Key, Kind, RecordChange, Value
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import MappingChange, Place
from originmap.store import records

COLUMNS = (
    "zone_id", "revision", "at", "credential", "client", "request",
    "address", "old_place", "new_place",
    "kind", "id", "old_body", "new_body",
)  # fmt: skip


class State(NamedTuple):
    """The row of `state`: the epoch and the revisions of the database."""

    epoch: str = ""
    is_replica: bool = False
    revision: int = 0
    last_at: int = 0
    oldest: int = 0


# With the time of a change, which shows whether the state continues from that change.
STATE = f"""
    SELECT {", ".join(State._fields)}, (SELECT at FROM change WHERE revision = $1)
    FROM state WHERE one"""  # noqa: S608 (names of our own)
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM change"  # noqa: S608 (names of our own)

STATE_COLUMNS = ", ".join(f"s.{name}" for name in State._fields)
# The state is part of the same statement, because other nodes may have just written or trimmed some
# of these changes.
_SINCE = (
    f"SELECT {STATE_COLUMNS}, c.* "  # noqa: S608 (as above)
    "FROM state AS s LEFT JOIN ({}) AS c ON true WHERE s.one ORDER BY c.revision"
)
SINCE = _SINCE.format(f"{_SELECT} WHERE revision > $1 ORDER BY revision LIMIT $2")
SINCE_IN_ZONE = _SINCE.format(
    f"{_SELECT} WHERE zone_id = $3 AND revision > $1 ORDER BY revision LIMIT $2"
)
# One statement, so that page and total are of the same commit.
PAGE = f"""
    SELECT {STATE_COLUMNS}, z.mappings, m.address, m.place, m.modified_on, m.revision
    FROM state AS s LEFT JOIN zone AS z ON z.id = $1 LEFT JOIN LATERAL (
        SELECT address, place, modified_on, revision FROM mapping
        WHERE zone_id = z.id ORDER BY address LIMIT $2 OFFSET $3) AS m ON true
    WHERE s.one ORDER BY m.address"""  # noqa: S608 (as above)
BEFORE = f"{_SELECT} WHERE revision < $1 ORDER BY revision DESC LIMIT $2"
BEFORE_IN_ZONE = f"{_SELECT} WHERE zone_id = $3 AND revision < $1 ORDER BY revision DESC LIMIT $2"
BEFORE_OF_ADDRESS = (
    f"{_SELECT} WHERE zone_id = $3 AND address = $4 AND revision < $1 "
    "ORDER BY revision DESC LIMIT $2"
)
TIME_OF = "SELECT at FROM change WHERE revision = $1"
LAST_OF_RECORD = f"{_SELECT} WHERE kind = $1 AND id = $2 ORDER BY revision DESC LIMIT 1"
RECORDS_SINCE = (
    f"{_SELECT} WHERE kind IS NOT NULL AND revision > $1 AND revision <= $2 ORDER BY revision"
)
ALL = f"{_SELECT} ORDER BY revision"
RECORDS = "SELECT kind, id, body FROM record ORDER BY kind, id"

Row = tuple[object, ...]
"""The columns of a change, in the order of COLUMNS."""


def change_of(row: Sequence[Any]) -> Change:
    """Convert a row of `change` to a change."""
    zone_id, revision, at, credential, client, request, address, *rest = row
    cause = Cause(credential, client, request)
    if address is not None:
        old, new = (None if text is None else place_of(text) for text in rest[:2])
        return Change(revision, at, cause, zone_id, MappingChange(Address(address), old, new))
    key = Key(Kind(rest[2]), rest[3])
    before, after = (records.decode(key.kind, body) for body in rest[4:])
    return Change(revision, at, cause, zone_id, RecordChange(key, before, after))


def row_of(change: Change) -> Row:
    """Convert a change to a row of `change`."""
    what = change.what
    head = (change.zone_id, change.revision, change.at, *cause_columns(change.cause))
    if isinstance(what, MappingChange):
        places = (text_of(what.before), text_of(what.after))
        return (*head, what.address, *places, None, None, None, None)
    bodies = (records.encode(what.before), records.encode(what.after))
    return (*head, None, None, None, what.key.kind.value, what.key.id, *bodies)


@functools.lru_cache(maxsize=4096)
def place_of(text: str) -> Place:
    """Return the region that `text_of` encoded; cached, because a database has a few hundred
    regions."""
    vendor, _, region = text.partition("/")
    return Place(vendor, region)


def text_of(place: Place | None) -> str | None:
    """Encode a region as one text: fewer values to send than two."""
    return None if place is None else f"{place.vendor}/{place.region}"


def cause_columns(cause: Cause) -> tuple[str, str, str]:
    """Return the columns of a cause."""
    return cause.credential, cause.client, cause.request_id


def record_changes(rows: Iterable[Sequence[object]]) -> list[RecordChange]:
    """Convert rows of `change` to changes of records."""
    whats = [change_of(row).what for row in rows]
    return [what for what in whats if isinstance(what, RecordChange)]


def records_of(rows: Iterable[Sequence[Any]]) -> dict[Key, Value]:
    """Convert rows of `record` to records."""
    by_key = {}
    for kind, id_, body in rows:
        key = Key(Kind(kind), id_)
        if (value := records.decode(key.kind, body)) is not None:
            by_key[key] = value
    return by_key
