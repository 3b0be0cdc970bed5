"""A snapshot as lines of JSON that end with a checksum.

    {"originmap_snapshot": 1, "epoch": "8c0f…", "revision": 42, "at": 1772366400000000,
     "form": "whole"}
    {"kind": "zone", "id": "023e…", "value": {…}}
    {"zone_id": "023e…", "mappings": [["192.0.2.1", "aws", "us-east-1", 1772366400000000, 42]]}
    {"changes": [{"revision": 42, …}]}
    {"end": true, "lines": 4, "sha256": "…"}

`form` is the part of the database in the snapshot: "whole", "edge" (what an edge node may have) or
"readable" (what one credential may read). A mapping is written as address, vendor, region, time of
change (microseconds since 1970 UTC) and revision. Changes are included on request, in the form of
`feed.changes_json`. The last line has the number of lines before it and the SHA-256 of their bytes,
line ends included, so that a reader can detect truncation and corruption.
"""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

import msgspec

from originmap.domain.errors import BrokenFeed
from originmap.domain.history.snapshot import (
    WHOLE,
    History,
    Part,
    Record,
    SnapshotStart,
    ZoneMappings,
)
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.mapping import Mapping
from originmap.feed.changes_json import (
    ChangeJSON,
    Microseconds,
    Revision,
    changes_json,
    read_address,
    read_changes,
    read_names,
)
from originmap.feed.record_json import check_record, raw_record, read_key, read_record
from originmap.feed.snapshot_order import SnapshotOrder

FORMAT = 1
_LINE = 1 << 20
"""A line of changes ends when its records reach this many bytes: a topology is large."""

_MOST_RECORD_BYTES = 1 << 30
"""Limit for the bytes of all records of a snapshot, which readers hold in memory; it is enough for
two million zones."""

_Row = tuple[str, str, str, Microseconds, Revision]


class _StartLine(msgspec.Struct):
    originmap_snapshot: int
    epoch: str
    revision: Revision
    at: Microseconds
    form: str = WHOLE


class _RecordLine(msgspec.Struct):
    kind: str
    id: str
    value: msgspec.Raw


class _MappingsLine(msgspec.Struct):
    zone_id: str
    mappings: list[_Row]


class _ChangesLine(msgspec.Struct):
    changes: list[ChangeJSON]


class _EndLine(msgspec.Struct):
    end: bool
    lines: int
    sha256: str


_ENCODER = msgspec.json.Encoder()
_START = msgspec.json.Decoder(_StartLine)
_RECORD = msgspec.json.Decoder(_RecordLine)
_MAPPINGS = msgspec.json.Decoder(_MappingsLine)
_CHANGES = msgspec.json.Decoder(_ChangesLine)
_END = msgspec.json.Decoder(_EndLine)


async def write_lines(parts: AsyncIterator[Part]) -> AsyncGenerator[bytes, None]:
    """Encode a snapshot as lines, each with its line end."""
    digest, count = hashlib.sha256(), 0
    async for part in parts:
        for struct in _structs(part):
            line = _ENCODER.encode(struct) + b"\n"
            digest.update(line)
            count += 1
            yield line
    yield _ENCODER.encode(_EndLine(True, count, digest.hexdigest())) + b"\n"


def _structs(part: Part) -> Iterator[msgspec.Struct]:
    match part:
        case SnapshotStart():
            yield _StartLine(FORMAT, *part)
        case Record(key, value):
            yield _RecordLine(key.kind.value, key.id, raw_record(value))
        case ZoneMappings(zone_id, mappings):
            yield _MappingsLine(zone_id, [_row(m) for m in mappings])
        case History(changes):
            yield from _change_lines(changes_json(changes))


def _change_lines(changes: list[ChangeJSON]) -> Iterator[_ChangesLine]:
    line: list[ChangeJSON] = []
    size = 0
    for change in changes:
        line.append(change)
        size += len(change.before) + len(change.after)
        if size > _LINE:
            yield _ChangesLine(line)
            line, size = [], 0
    if line:
        yield _ChangesLine(line)


def _row(m: Mapping) -> _Row:
    return addresses.text(m.address), m.place.vendor, m.place.region, m.modified_on, m.revision


async def read_lines(lines: AsyncIterator[bytes]) -> AsyncIterator[Part]:
    """Decode the lines of a snapshot.

    Raises BrokenFeed if the snapshot is truncated, corrupt, of an unknown format, or breaks the
    rules of `feed.snapshot_order`. The caller must then discard every part that it has read.
    """
    digest, count, ended = hashlib.sha256(), 0, False
    order, of_records = SnapshotOrder(), 0
    async for line in lines:
        if ended:
            raise BrokenFeed("the snapshot has lines after its end")
        try:
            if line.startswith(b'{"end"'):
                _check_end(_END.decode(line), count, digest.hexdigest())
                ended = True
                continue
            part = _part(line, count)
            order.check(part)
            of_records += len(line) if isinstance(part, Record) else 0
            if of_records > _MOST_RECORD_BYTES:
                raise BrokenFeed("the records of the snapshot exceed 1 GiB")
        except (
            msgspec.MsgspecError,
            UnicodeDecodeError,
            RecursionError,
            BrokenFeed,
        ) as error:
            raise BrokenFeed(f"line {count + 1} of the snapshot: {error}") from None
        yield part
        digest.update(line)
        count += 1
    if not ended:
        raise BrokenFeed("the snapshot was cut short")
    order.check_end()


def _check_end(end: _EndLine, count: int, sha256: str) -> None:
    if (end.lines, end.sha256) != (count, sha256):
        raise BrokenFeed("the snapshot is corrupt: checksum mismatch")


def _part(line: bytes, index: int) -> Part:
    if index == 0:
        start = _START.decode(line)
        if start.originmap_snapshot != FORMAT:
            format_ = start.originmap_snapshot
            raise BrokenFeed(f"snapshot format {format_} is not supported, only {FORMAT}")
        return SnapshotStart(start.epoch, start.revision, start.at, start.form)
    if line.startswith(b'{"kind"'):
        record = _RECORD.decode(line)
        key = read_key(record.kind, record.id)
        value = read_record(key, record.value)
        if value is None:
            raise BrokenFeed(f"empty record in the snapshot: {record.kind} {record.id}")
        return Record(key, check_record(key, value))
    if line.startswith(b'{"changes"'):
        return History(read_changes(_CHANGES.decode(line).changes))
    zone = _MAPPINGS.decode(line)
    return ZoneMappings(zone.zone_id, [_mapping(row) for row in zone.mappings])


def _mapping(row: _Row) -> Mapping:
    ip, vendor, region, modified_on, revision = row
    return Mapping(read_address(ip), read_names(vendor, region), modified_on, revision)
