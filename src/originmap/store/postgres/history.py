"""Changes and records as a PostgreSQL database keeps them: rows to values, values to rows."""

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
    """The row of `state`: how far the database is."""

    epoch: str = ""
    is_replica: bool = False
    revision: int = 0
    last_at: int = 0
    oldest: int = 0


STATE = f"SELECT {', '.join(State._fields)} FROM state WHERE one"  # noqa: S608 (names of our own)
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM change"  # noqa: S608 (names of our own)

STATE_COLUMNS = ", ".join(f"s.{name}" for name in State._fields)
# With the state in the same statement: other nodes have made some of these changes, and may just
# have forgotten others.
_SINCE = (
    f"SELECT {STATE_COLUMNS}, c.* "  # noqa: S608 (as above)
    "FROM state AS s LEFT JOIN ({}) AS c ON true WHERE s.one ORDER BY c.revision"
)
SINCE = _SINCE.format(f"{_SELECT} WHERE revision > $1 ORDER BY revision LIMIT $2")
SINCE_IN_ZONE = _SINCE.format(
    f"{_SELECT} WHERE zone_id = $3 AND revision > $1 ORDER BY revision LIMIT $2"
)
BEFORE = f"{_SELECT} WHERE revision < $1 ORDER BY revision DESC LIMIT $2"
BEFORE_IN_ZONE = f"{_SELECT} WHERE zone_id = $3 AND revision < $1 ORDER BY revision DESC LIMIT $2"
BEFORE_OF_ADDRESS = (
    f"{_SELECT} WHERE zone_id = $3 AND address = $4 AND revision < $1 "
    "ORDER BY revision DESC LIMIT $2"
)
LAST_OF_RECORD = f"{_SELECT} WHERE kind = $1 AND id = $2 ORDER BY revision DESC LIMIT 1"
RECORDS_SINCE = (
    f"{_SELECT} WHERE kind IS NOT NULL AND revision > $1 AND revision <= $2 ORDER BY revision"
)
ALL = f"{_SELECT} ORDER BY revision"
RECORDS = "SELECT kind, id, body FROM record ORDER BY kind, id"

Row = tuple[Any, ...]
"""The columns of a change, in the order of COLUMNS."""


def change_of(row: Sequence[Any]) -> Change:
    """The change that a row of `change` holds."""
    zone_id, revision, at, credential, client, request, address, *rest = row
    cause = Cause(credential, client, request)
    if address is not None:
        old, new = (None if text is None else place_of(text) for text in rest[:2])
        return Change(revision, at, cause, zone_id, MappingChange(Address(address), old, new))
    key = Key(Kind(rest[2]), rest[3])
    before, after = (records.decode(key.kind, body) for body in rest[4:])
    return Change(revision, at, cause, zone_id, RecordChange(key, before, after))


def row_of(change: Change) -> Row:
    """The row of `change` for a change."""
    what = change.what
    head = (change.zone_id, change.revision, change.at, *who(change.cause))
    if isinstance(what, MappingChange):
        places = (text_of(what.before), text_of(what.after))
        return (*head, what.address, *places, None, None, None, None)
    bodies = (records.encode(what.before), records.encode(what.after))
    return (*head, None, None, None, what.key.kind.value, what.key.id, *bodies)


@functools.lru_cache(maxsize=4096)
def place_of(text: str) -> Place:
    """The place that `text_of` wrote; a few hundred of them come again and again."""
    vendor, _, region = text.partition("/")
    return Place(vendor, region)


def text_of(place: Place | None) -> str | None:
    """A place as one text: fewer values to send than two."""
    return None if place is None else f"{place.vendor}/{place.region}"


def who(cause: Cause) -> tuple[str, str, str]:
    """A cause as the columns of a change have it."""
    return cause.credential, cause.client, cause.request_id


def record_changes(rows: Iterable[Sequence[Any]]) -> list[RecordChange]:
    """The changes of records that rows of `change` hold."""
    whats = [change_of(row).what for row in rows]
    return [what for what in whats if isinstance(what, RecordChange)]


def records_of(rows: Iterable[Sequence[Any]]) -> dict[Key, Value]:
    """The records that rows of `record` hold."""
    found = {}
    for kind, id_, body in rows:
        key = Key(Kind(kind), id_)
        if (value := records.decode(key.kind, body)) is not None:
            found[key] = value
    return found
