"""Changes as JSON, in a response of the change feed or an event of a stream.

    {"epoch": "8c0f…", "since": 41, "since_at": "2026-03-01T11:59:59.000000Z", "revision": 42,
     "reset": false, "sha256": "…", "changes": [
      {"revision": 42, "at": "2026-03-01T12:00:00.000000Z", "actor": "f174…", "client":
       "192.0.2.200", "request": "8d7f…-SIN", "zone_id": "023e…", "kind": "mapping",
       "id": "192.0.2.1", "before": null, "after": {"vendor": "aws", "region": "us-east-1"}}]}

A change of a record has the record's kind, and the record before and after. A change that the
reader may not see has kind "hidden", and only a revision and a time. `sha256` covers the bytes of
`changes`, brackets included, so that a reader can detect corruption. `since_at` is the time of the
change `since`, so that a reader can detect that its own change is another one.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated

import msgspec

from originmap.domain.errors import BrokenFeed, InvalidAddress
from originmap.domain.history.change import LAST_REVISION, Cause, Change
from originmap.domain.history.record import HIDDEN, Kind, RecordChange
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import MappingChange, Place
from originmap.feed.record_json import (
    LAST_TIME,
    NULL,
    check_record,
    raw_record,
    read_key,
    read_record,
)

MAPPING = "mapping"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
"""A vendor or region. Only the form is checked: the primary may have a newer catalogue."""

Text = Annotated[str, msgspec.Meta(max_length=1_000)]
Revision = Annotated[int, msgspec.Meta(ge=0, le=LAST_REVISION)]
Microseconds = Annotated[int, msgspec.Meta(ge=0, le=LAST_TIME)]
_Time = Annotated[datetime, msgspec.Meta(tz=True)]


class ChangeJSON(msgspec.Struct, gc=False):
    """One change. It has no reference cycles, so it needs no garbage collection."""

    revision: Revision
    at: _Time
    actor: Text
    client: Text
    request: Text
    zone_id: Text
    kind: Text
    id: Text
    before: msgspec.Raw
    after: msgspec.Raw


class DeltaJSON(msgspec.Struct):
    """The changes after `since`, up to `revision`. If `reset` is true, the primary cannot list
    them, and `reason` says why. `since_at` is None if the primary does not know the time."""

    epoch: str
    since: Revision
    revision: Revision
    reset: bool
    changes: list[ChangeJSON]
    reason: str = ""
    since_at: _Time | None = None

    def follows(self, at: int | None) -> bool:
        """Whether these changes follow the reader's own change `since`, which was made at `at`. In
        a database that was restored from a backup and then changed, that change is another one.
        True if a time is unknown."""
        return at is None or self.since_at in (None, moment(at))


class SealedDelta(msgspec.Struct):
    """A delta as it is sent: the encoded changes with their checksum. Early primaries send no
    checksum, and their changes are accepted without one."""

    epoch: str
    since: Revision
    revision: Revision
    reset: bool
    changes: msgspec.Raw
    reason: str = ""
    sha256: str = ""
    since_at: _Time | None = None


class _PlaceJSON(msgspec.Struct):
    vendor: str
    region: str


_PLACES = msgspec.json.Decoder(_PlaceJSON)
_CHANGES = msgspec.json.Decoder(list[ChangeJSON])
_ENCODER = msgspec.json.Encoder()


def seal(delta: DeltaJSON) -> SealedDelta:
    """Encode the changes of a delta and add their checksum."""
    changes = _ENCODER.encode(delta.changes)
    sha256 = hashlib.sha256(changes).hexdigest()
    return SealedDelta(
        delta.epoch,
        delta.since,
        delta.revision,
        delta.reset,
        msgspec.Raw(changes),
        delta.reason,
        sha256,
        delta.since_at,
    )


def unseal(sealed: SealedDelta) -> DeltaJSON:
    """Decode the changes of a delta that `seal` encoded. Raises BrokenFeed if the checksum differs
    or the changes cannot be decoded."""
    if sealed.sha256 and hashlib.sha256(sealed.changes).hexdigest() != sealed.sha256:
        raise BrokenFeed("the changes are corrupt: checksum mismatch")
    try:
        changes = _CHANGES.decode(sealed.changes)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenFeed(f"invalid changes: {error}") from None
    return DeltaJSON(
        sealed.epoch,
        sealed.since,
        sealed.revision,
        sealed.reset,
        changes,
        sealed.reason,
        sealed.since_at,
    )


def moment(microseconds: int) -> datetime:
    """Convert microseconds since 1970 UTC to a datetime."""
    return _EPOCH + timedelta(0, 0, microseconds)


def changes_json(changes: Iterable[Change]) -> list[ChangeJSON]:
    """Convert changes to their JSON form."""
    encoded = []
    at, when = 0, _EPOCH
    for change in changes:
        what, cause = change.what, change.cause
        if isinstance(what, MappingChange):
            kind, id_ = MAPPING, addresses.text(what.address)
            before, after = raw_place(what.before), raw_place(what.after)
        else:
            kind, id_ = what.key.kind.value, what.key.id
            before, after = raw_record(what.before), raw_record(what.after)
        if change.at != at:  # changes of one request have the same time
            at, when = change.at, moment(change.at)
        encoded.append(
            ChangeJSON(change.revision, when, *cause, change.zone_id, kind, id_, before, after)
        )
    return encoded


def mapping_change_json(change: MappingChange) -> dict[str, object]:
    """Return a mapping's change as JSON without its revision, time and actor."""
    before, after = change.before, change.after
    return {
        "origin_ip": addresses.text(change.address),
        "before": before._asdict() if before else None,
        "after": after._asdict() if after else None,
    }


def read_changes(encoded: Iterable[ChangeJSON]) -> list[Change]:
    """Convert changes from their JSON form, with the checks that a primary makes on writes. Raises
    BrokenFeed."""
    return [
        Change(
            c.revision,
            _microseconds(c),
            Cause(c.actor, c.client, c.request),
            c.zone_id,
            _mapping_change(c) if c.kind == MAPPING else _record_change(c),
        )
        for c in encoded
    ]


def _microseconds(c: ChangeJSON) -> int:
    at = (c.at - _EPOCH) // _MICROSECOND
    if not 0 <= at <= LAST_TIME:
        raise BrokenFeed(f"change {c.revision} is dated before 1970 or after 9999")
    return at


def _mapping_change(c: ChangeJSON) -> MappingChange:
    before, after = read_place(bytes(c.before)), read_place(bytes(c.after))
    if before == after:
        raise BrokenFeed(f"change {c.revision} changes nothing")
    return MappingChange(read_address(c.id), before, after)


def _record_change(c: ChangeJSON) -> RecordChange:
    key = read_key(c.kind, c.id)
    if key.kind is Kind.HIDDEN:
        return _hidden(c)
    if c.zone_id != (key.id if key.kind is Kind.ZONE else ""):
        raise BrokenFeed(f"change {c.revision}, of {c.kind} {c.id}, has zone ID {c.zone_id!r}")
    before, after = read_record(key, c.before), read_record(key, c.after)
    if before is None and after is None:
        raise BrokenFeed(f"change {c.revision} changes nothing")
    return RecordChange(key, before, None if after is None else check_record(key, after))


def _hidden(c: ChangeJSON) -> RecordChange:
    if (c.id, c.zone_id, bytes(c.before), bytes(c.after)) != ("", "", b"null", b"null"):
        raise BrokenFeed(f"change {c.revision} is hidden but has content")
    return HIDDEN


def read_address(text: str) -> Address:
    """Parse an address that must be in canonical form. Raises BrokenFeed."""
    try:
        address = addresses.parse(text)
    except InvalidAddress as error:
        raise BrokenFeed(str(error)) from None
    if addresses.text(address) != text:
        raise BrokenFeed(f"address not in canonical form: {text!r}")
    return address


@lru_cache(maxsize=4096)
def read_names(vendor: str, region: str) -> Place:
    """Return the region with these names; their form is checked. Raises BrokenFeed."""
    if not (_NAME.fullmatch(vendor) and _NAME.fullmatch(region)):
        raise BrokenFeed(f"invalid name of a vendor or region: {vendor!r} {region!r}")
    return Place(vendor, region)


@lru_cache(maxsize=1024)
def raw_place(place: Place | None) -> msgspec.Raw:
    """Return a region as JSON, null for None."""
    return NULL if place is None else msgspec.Raw(msgspec.json.encode(place._asdict()))


@lru_cache(maxsize=4096)
def read_place(raw: bytes) -> Place | None:
    """Parse a region that `raw_place` wrote. Raises BrokenFeed."""
    if raw == b"null":
        return None
    try:
        place = _PLACES.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenFeed(f"invalid region of a mapping: {error}") from None
    return read_names(place.vendor, place.region)
