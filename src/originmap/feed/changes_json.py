"""Changes as JSON: the answer to a question about them, and an event of a stream.

    {"epoch": "8c0f…", "since": 41, "revision": 42, "reset": false, "changes": [
      {"revision": 42, "at": "2026-03-01T12:00:00.000000Z", "actor": "f174…", "client":
       "192.0.2.200", "request": "8d7f…-SIN", "zone_id": "023e…", "kind": "mapping",
       "id": "192.0.2.1", "before": null, "after": {"vendor": "aws", "region": "us-east-1"}}]}

A change of a record has its kind, and the record before and after.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any

import msgspec

from originmap.domain import address as addresses
from originmap.domain.change import Cause, Change
from originmap.domain.errors import BrokenFeed, InvalidAddress
from originmap.domain.mapping import MappingChange, Place
from originmap.domain.record import RecordChange
from originmap.feed.record_json import NULL, raw_record, read_key, read_record

MAPPING = "mapping"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class ChangeJSON(msgspec.Struct, gc=False):
    """One change; it has no cycles that a collection would find."""

    revision: int
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    actor: str
    client: str
    request: str
    zone_id: str
    kind: str
    id: str
    before: msgspec.Raw
    after: msgspec.Raw


class DeltaJSON(msgspec.Struct):
    """What changed after `since`, up to `revision`; with `reset` it cannot be told, and `reason`
    says why."""

    epoch: str
    since: int
    revision: int
    reset: bool
    changes: list[ChangeJSON]
    reason: str = ""


class _PlaceJSON(msgspec.Struct):
    vendor: str
    region: str


_PLACES = msgspec.json.Decoder(_PlaceJSON)


def moment(microseconds: int) -> datetime:
    """A time as JSON has it."""
    return _EPOCH + timedelta(0, 0, microseconds)


def changes_json(changes: Iterable[Change]) -> list[ChangeJSON]:
    """How changes are written."""
    found = []
    at, when = 0, _EPOCH
    for change in changes:
        what, cause = change.what, change.cause
        if isinstance(what, MappingChange):
            kind, id_ = MAPPING, addresses.text(what.address)
            before, after = raw_place(what.before), raw_place(what.after)
        else:
            kind, id_ = what.key.kind.value, what.key.id
            before, after = raw_record(what.before), raw_record(what.after)
        if change.at != at:  # those of one request have one time
            at, when = change.at, moment(change.at)
        found.append(
            ChangeJSON(change.revision, when, *cause, change.zone_id, kind, id_, before, after)
        )
    return found


def mapping_change_json(change: MappingChange) -> dict[str, Any]:
    """How a change of a mapping is written where nothing is told of its commit."""
    before, after = change.before, change.after
    return {
        "origin_ip": addresses.text(change.address),
        "before": before._asdict() if before else None,
        "after": after._asdict() if after else None,
    }


def read_changes(found: Iterable[ChangeJSON]) -> list[Change]:
    """The changes that `changes_json` wrote. Raises BrokenFeed."""
    return [
        Change(
            c.revision,
            (c.at - _EPOCH) // _MICROSECOND,
            Cause(c.actor, c.client, c.request),
            c.zone_id,
            _mapping_change(c) if c.kind == MAPPING else _record_change(c),
        )
        for c in found
    ]


def _mapping_change(c: ChangeJSON) -> MappingChange:
    try:
        address = addresses.parse(c.id)
    except InvalidAddress as error:
        raise BrokenFeed(str(error)) from None
    return MappingChange(address, read_place(bytes(c.before)), read_place(bytes(c.after)))


def _record_change(c: ChangeJSON) -> RecordChange:
    key = read_key(c.kind, c.id)
    return RecordChange(key, read_record(key, c.before), read_record(key, c.after))


@lru_cache(maxsize=1024)
def raw_place(place: Place | None) -> msgspec.Raw:
    """A place as JSON, null for none."""
    return NULL if place is None else msgspec.Raw(msgspec.json.encode(place._asdict()))


@lru_cache(maxsize=1024)
def read_place(raw: bytes) -> Place | None:
    """The place that `raw_place` wrote. Raises BrokenFeed."""
    if raw == b"null":
        return None
    try:
        found = _PLACES.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenFeed(f"a place: {error}") from None
    return Place(found.vendor, found.region)
