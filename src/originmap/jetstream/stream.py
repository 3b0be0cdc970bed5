"""The stream of changes in JetStream: its configuration, its position, and searching it.

The stream has one unbroken run of revisions of one epoch, after its last start. The position is not
stored anywhere else: it is the last message. A message is only stored after the one that its
publisher believes to be the last (Nats-Expected-Last-Sequence), so two publishers cannot
interleave.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import nats.js.api
import nats.js.errors

from originmap.domain.errors import PrimaryGone
from originmap.domain.history.snapshot import SnapshotStart
from originmap.feed.changes_json import ChangeJSON, DeltaJSON, moment, read_changes
from originmap.jetstream import messages
from originmap.jetstream.connection import NatsConnection
from originmap.jetstream.messages import StreamMessage
from originmap.service.feed.feed import Point

_WRONG_LAST_SEQUENCE = 10071
"""err_code of a message whose expected last sequence differs (nats-server/server/errors.json)."""
_TOO_MANY_CONSUMERS = 10026
"""err_code of a stream that allows more consumers than its account."""
_MOST_CONSUMERS = 100_000
"""Each node has a consumer; without a limit of its own, a stream allows 1,000 since nats-server
2.15."""
_MOST_IN_FLIGHT = 200
LARGEST_BODY = (1 << 20) - 1024
"""Bytes of a message: NATS servers accept 1 MiB by default, with the headers."""
PUBLISH_SECONDS = 10.0
_DUPLICATE_SECONDS = 15.0
"""How long the server knows the IDs of messages. Longer than a publisher waits for an answer; but a
primary that is restored from a backup waits this long, because it uses the same IDs again."""


class Position(NamedTuple):
    """The last message: its point, the time of its revision, and its sequence in the stream."""

    epoch: str
    revision: int
    at: int
    sequence: int

    @property
    def point(self) -> Point:
        """The point to continue from."""
        return Point(self.epoch, self.revision)


class Continuation(NamedTuple):
    """Where to read on after `point`, whose change was made at `at`, None if unknown: `sequence` is
    that of the first message with a later change, which may be the next one to come, and `waiting`
    the number of messages that there are from it on."""

    point: Point
    at: datetime | None
    sequence: int
    waiting: int


class MessageTooLarge(Exception):
    """A change does not fit in a message."""


class ChangeStream:
    """One stream, for its publisher and its readers."""

    def __init__(self, connection: NatsConnection, name: str) -> None:
        self._connection = connection
        self._streams = connection.streams
        self._name = name

    async def prepare(self, most_messages: int, replicas: int) -> None:
        """Create the stream, or set the limit of an existing one. Raises PrimaryGone if a stream of
        this name has another purpose."""
        wanted = messages.stored_subjects(self._name)
        try:
            config = (await self._streams.stream_info(self._name)).config
        except nats.js.errors.NotFoundError:
            await self._create(
                nats.js.api.StreamConfig(
                    name=self._name,
                    description="Changes of Originmap",
                    subjects=wanted,
                    max_consumers=_MOST_CONSUMERS,
                    max_msgs=most_messages,
                    num_replicas=replicas,
                    duplicate_window=_DUPLICATE_SECONDS,
                )
            )
            return
        limits = nats.js.api.RetentionPolicy.LIMITS
        usable = config.retention in (limits, limits.value) and config.max_msgs_per_subject <= 0
        if sorted(config.subjects or []) != sorted(wanted) or not usable:
            gone = PrimaryGone(f"NATS: the stream {self._name} was not created by Originmap")
            gone.hint = "choose another --stream, or delete that one"
            raise gone
        if config.max_msgs != most_messages:
            config.max_msgs = most_messages
            await self._streams.update_stream(config)

    async def _create(self, config: nats.js.api.StreamConfig) -> None:
        try:
            await self._streams.add_stream(config)
        except nats.js.errors.APIError as error:
            if error.err_code != _TOO_MANY_CONSUMERS:
                raise
            config.max_consumers = -1  # the limit of the account
            await self._streams.add_stream(config)

    async def last(self) -> Position | None:
        """The position; None if the stream is empty."""
        state = (await self._streams.stream_info(self._name)).state
        if not state.messages:
            return None
        found = await self._at(state.last_seq)
        return Position(found.epoch, found.revision, found.at, state.last_seq)

    async def oldest(self) -> int:
        """The stream has every change after this revision."""
        low, _ = await self._run()
        return (await self._at(low)).since

    async def append(self, position: Position, changes: Sequence[ChangeJSON]) -> Position | None:
        """Store changes that follow `position`. Returns the new position; None if another publisher
        has written to the stream. Raises MessageTooLarge."""
        waiting = []
        for subject, group in messages.groups(self._name, changes):
            since, revision = position.revision, group[-1].revision
            (last,) = read_changes(group[-1:])
            since_at = moment(position.at)
            delta = DeltaJSON(position.epoch, since, revision, False, group, since_at=since_at)
            waiting.append((subject, messages.message(delta, last.at), position.sequence))
            position = Position(position.epoch, revision, last.at, position.sequence + 1)
            if len(waiting) == _MOST_IN_FLIGHT:
                if not await self._store(waiting):
                    return None
                waiting = []
        return position if await self._store(waiting) else None

    async def start_over(self, start: SnapshotStart, reason: str) -> Position | None:
        """Begin a new run of revisions after a snapshot, and remove what is before. Returns None if
        another publisher has written to the stream."""
        before = (await self._streams.stream_info(self._name)).state.last_seq
        delta = DeltaJSON(start.epoch, start.revision, start.revision, True, [], reason)
        begin = messages.message(delta, start.at)
        if not await self._store([(messages.start_subject(self._name), begin, before)]):
            return None
        await self.remove_earlier_runs()
        return Position(start.epoch, start.revision, start.at, before + 1)

    async def remove_earlier_runs(self) -> None:
        """Remove what is before the last start, as `start_over` does unless it is interrupted."""
        low, first = await self._run()
        if low > first:
            await self._streams.purge_stream(self._name, seq=low)

    async def after(self, point: Point) -> "Continuation | str":
        """Where the changes after `point` are; the reason if the stream does not have them."""
        low, _ = await self._run()
        last = await self.last()
        if last is None:
            raise _empty()
        if point.epoch not in ("", last.epoch):
            return "the stream is of another database"
        if last.revision < point.revision:
            return f"the stream has not reached revision {point.revision}"
        first = await self._at(low)
        if first.since > point.revision:
            return f"the stream goes back to revision {first.since}"
        high = last.sequence + 1
        while low < high:
            middle = (low + high) // 2
            if (await self._at(middle)).revision > point.revision:
                high = middle
            else:
                low = middle + 1
        waiting = last.sequence + 1 - low
        at = _time_of(point.revision, await self._at(low)) if waiting else moment(last.at)
        return Continuation(Point(last.epoch, point.revision), at, low, waiting)

    async def _run(self) -> tuple[int, int]:
        """The sequences of the first message after the last start, that start included, and of the
        first message in the stream."""
        state = (await self._streams.stream_info(self._name)).state
        if not state.messages:
            raise _empty()
        try:
            subject = messages.start_subject(self._name)
            start = (await self._streams.get_last_msg(self._name, subject)).seq or 0
        except nats.js.errors.NotFoundError:
            start = 0
        return max(start, state.first_seq), state.first_seq

    async def _at(self, sequence: int) -> StreamMessage:
        found = await self._streams.get_msg(self._name, sequence)
        return messages.decode_message(
            found.data or b"", (found.headers or {}).get(messages.ENCODING, "")
        )

    async def _store(self, waiting: Sequence[tuple[str, StreamMessage, int]]) -> bool:
        """Store messages, each after the sequence that is given for it. Returns False if another
        publisher has written to the stream."""
        requests = []
        for subject, each, after in waiting:
            body, headers = messages.encode_message(each)
            if len(body) > LARGEST_BODY:
                raise MessageTooLarge(subject)
            headers[messages.EXPECTED_SEQUENCE] = str(after)
            requests.append((subject, body, headers))
        answers = await self._connection.until_lost(
            asyncio.gather(
                *(
                    self._streams.publish(subject, body, PUBLISH_SECONDS, self._name, headers)
                    for subject, body, headers in requests
                ),
                return_exceptions=True,
            )
        )
        for (_, _, after), answer in zip(waiting, answers, strict=True):
            if isinstance(answer, nats.js.errors.APIError):
                if answer.err_code == _WRONG_LAST_SEQUENCE:
                    return False
                raise answer
            if isinstance(answer, BaseException):
                raise answer
            if answer.seq != after + 1:  # a message with this ID was there: it may differ
                return False
        return True


def _time_of(revision: int, message: StreamMessage) -> datetime | None:
    """The time of a change in `message`, or of the last one before it. Raises BrokenFeed."""
    if revision == message.since:
        return message.since_at
    times = (c.at for c in messages.changes_of(message) if c.revision == revision)
    return next(times, None)  # none if the stream was started over meanwhile


def _empty() -> PrimaryGone:
    gone = PrimaryGone("the stream is empty")
    gone.hint = "start originmap publish nats, and look at its log"
    return gone
