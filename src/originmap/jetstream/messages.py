"""The messages of a stream, their subjects and IDs.

    STREAM.zone.ZONE_ID     changes of a zone and its mappings
    STREAM.record.KIND      changes of other records
    STREAM.start            the stream starts over here: readers must load a snapshot
    STREAM.heartbeat        not stored: the publisher's state, every few seconds
    STREAM.report.NAME      not stored: a node's report, which the publisher passes on

A message has consecutive changes with one subject, in the sealed form of `feed.changes_json`. Its
ID is the epoch and the last revision, so the server drops a message that is sent twice.
"""

import zlib
from collections.abc import Iterator, Sequence

import msgspec

from originmap.domain.errors import BrokenFeed
from originmap.feed.changes_json import (
    MAPPING,
    ChangeJSON,
    DeltaJSON,
    Microseconds,
    Revision,
    SealedDelta,
    seal,
    unseal,
)
from originmap.feed.state_digest import StateDigest

MOST_CHANGES = 500
"""Changes in one message."""
MOST_BYTES = 900_000
"""Limit of a message, below the 1 MiB that NATS servers accept by default."""
_LARGEST = 64 << 20
"""Limit after decompression, the same as for an answer over HTTP."""
_COMPRESSED_FROM = 16 << 10
_GZIP = 31  # zlib's wbits for the gzip format, RFC 1952
ENCODING = "Content-Encoding"
MESSAGE_ID = "Nats-Msg-Id"
EXPECTED_SEQUENCE = "Nats-Expected-Last-Sequence"


class StreamMessage(SealedDelta):
    """A message; `at` is the time of the change `revision`. One with `reset` is the start of the
    stream, without changes."""

    at: Microseconds = 0


class Heartbeat(msgspec.Struct):
    """The publisher has everything up to `revision` in the stream. `age` is that of the server it
    follows, in seconds, None if unknown; `problem` is why it cannot follow, or ""."""

    epoch: str
    revision: Revision
    age: float | None
    problem: str = ""
    digest: StateDigest | None = None


_ENCODER = msgspec.json.Encoder()
_MESSAGES = msgspec.json.Decoder(StreamMessage)
_HEARTBEATS = msgspec.json.Decoder(Heartbeat)


def stored_subjects(stream: str) -> list[str]:
    """The subjects that the stream stores."""
    return [f"{stream}.zone.*", f"{stream}.record.*", start_subject(stream)]


def start_subject(stream: str) -> str:
    """The subject of messages that start the stream."""
    return f"{stream}.start"


def heartbeat_subject(stream: str) -> str:
    """The subject of the publisher's heartbeats."""
    return f"{stream}.heartbeat"


def report_subject(stream: str, name: str) -> str:
    """The subject of a node's reports; ">" as the name stands for all nodes."""
    return f"{stream}.report.{name}"


def change_subject(stream: str, change: ChangeJSON) -> str:
    """The subject of a change."""
    if change.zone_id:
        return f"{stream}.zone.{change.zone_id}"
    assert change.kind != MAPPING
    return f"{stream}.record.{change.kind}"


def groups(stream: str, changes: Sequence[ChangeJSON]) -> Iterator[tuple[str, list[ChangeJSON]]]:
    """Split consecutive changes into those of each message, with its subject."""
    group: list[ChangeJSON] = []
    subject, size = "", 0
    for change in changes:
        belongs = change_subject(stream, change)
        length = len(change.before) + len(change.after) + 300
        full = len(group) == MOST_CHANGES or size + length > MOST_BYTES
        if group and (belongs != subject or full):
            yield subject, group
            group, size = [], 0
        subject = belongs
        group.append(change)
        size += length
    if group:
        yield subject, group


def message(delta: DeltaJSON, at: int) -> StreamMessage:
    """A message with the changes of `delta`; `at` is the time of its revision."""
    sealed = seal(delta)
    return StreamMessage(
        sealed.epoch,
        sealed.since,
        sealed.revision,
        sealed.reset,
        sealed.changes,
        sealed.reason,
        sealed.sha256,
        sealed.since_at,
        at,
    )


def encode_message(message: StreamMessage) -> tuple[bytes, dict[str, str]]:
    """A message as bytes, with its headers."""
    body, headers = _ENCODER.encode(message), {}
    if not message.reset:
        headers[MESSAGE_ID] = f"{message.epoch}-{message.revision}"
    if len(body) > _COMPRESSED_FROM:
        compressor = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
        body = compressor.compress(body) + compressor.flush()
        headers[ENCODING] = "gzip"
    return body, headers


def decode_message(body: bytes, encoding: str) -> StreamMessage:
    """Decode a message without its changes. Raises BrokenFeed."""
    try:
        if encoding:
            body = _decompressed(body, encoding)
        return _MESSAGES.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, zlib.error) as error:
        raise BrokenFeed(f"a message of the stream is not from Originmap: {error}") from None


def changes_of(message: StreamMessage) -> list[ChangeJSON]:
    """Decode the changes of a message. Raises BrokenFeed, also unless they are all of the
    message's revisions."""
    changes = unseal(message).changes
    revisions = [change.revision for change in changes]
    if revisions != list(range(message.since + 1, message.revision + 1)):
        raise BrokenFeed(
            f"the message of revisions {message.since + 1} to {message.revision} is incomplete"
        )
    return changes


def encode_heartbeat(heartbeat: Heartbeat) -> bytes:
    """A heartbeat as bytes."""
    return _ENCODER.encode(heartbeat)


def decode_heartbeat(body: bytes) -> Heartbeat:
    """Decode a heartbeat. Raises BrokenFeed."""
    try:
        return _HEARTBEATS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenFeed(f"the heartbeat is not from Originmap: {error}") from None


def _decompressed(body: bytes, encoding: str) -> bytes:
    if encoding != "gzip":
        raise BrokenFeed(f"a message of the stream has the encoding {encoding!r}, not gzip")
    stream = zlib.decompressobj(_GZIP)
    text = stream.decompress(body, _LARGEST)
    if stream.unconsumed_tail or not stream.eof:
        raise BrokenFeed(f"a message of the stream is truncated or over {_LARGEST >> 20} MiB")
    return text
