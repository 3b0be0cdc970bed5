"""Reads the changes of a stream in order, from a point on, with an ordered consumer.

An ordered consumer delivers each message once and in order, and is created again from the last
message if one is missing (NATS ADR-17). The revisions are checked on top of that.
"""

import contextlib
import time
from collections import deque

import nats.aio.msg
import nats.errors
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy

from originmap.domain.errors import BrokenFeed, PrimaryGone
from originmap.feed.changes_json import ChangeJSON
from originmap.jetstream import messages
from originmap.jetstream.connection import ANSWER_SECONDS, NatsConnection
from originmap.jetstream.stream import ChangeStream, Continuation
from originmap.service.feed.feed import Point

_IDLE_SECONDS = 5.0
"""Between the server's heartbeats for an idle consumer."""
_MOST_BYTES = 16 << 20
"""Messages that wait in memory; above it the server is told to wait."""


class StreamRestarted(Exception):
    """The stream starts over; the text is the publisher's reason."""


class StreamReader:
    """One consumer; `point` is that of the last change that was read, and `point_at` its time,
    None if unknown."""

    def __init__(
        self,
        connection: NatsConnection,
        messages_: JetStreamContext.PushSubscription,
        start: Continuation,
    ) -> None:
        """`messages_` are those from `start` on."""
        self.point, self.point_at = start.point, start.at
        self._connection = connection
        self._messages = messages_
        self._waiting = start.waiting
        self._received = start.point.revision
        self._rest: deque[ChangeJSON] = deque()  # received, but not read

    @classmethod
    async def at(
        cls, connection: NatsConnection, stream: str, point: Point
    ) -> "StreamReader | str":
        """A reader of the changes after `point`; or why the stream does not have them."""
        changes = ChangeStream(connection, stream)
        start = await connection.until_lost(changes.after(point))
        if isinstance(start, str):
            return start
        consumer = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=start.sequence
        )
        subscription = await connection.until_lost(
            connection.streams.subscribe(
                f"{stream}.>",
                stream=stream,
                config=consumer,
                ordered_consumer=True,
                idle_heartbeat=_IDLE_SECONDS,
                pending_bytes_limit=_MOST_BYTES,
            )
        )
        return cls(connection, subscription, start)

    async def read(self, limit: int, wait: float) -> list[ChangeJSON]:
        """Read up to `limit` changes; if there are none, wait up to `wait` seconds for one. Raises
        StreamRestarted, BrokenFeed, PrimaryGone."""
        taken: list[ChangeJSON] = []
        deadline = time.monotonic() + wait
        while len(taken) < limit:
            if self._rest:
                taken.append(self._rest.popleft())
            elif not await self._receive(0 if taken else deadline - time.monotonic()):
                break
        if taken:
            self.point, self.point_at = Point(self.point.epoch, taken[-1].revision), taken[-1].at
        return taken

    def discard(self) -> None:
        """Do not read on from here: the consumer does not deliver what the stream has."""
        self.point = Point("", 0)

    async def close(self) -> None:
        """End the consumer; the server removes it."""
        if not self._connection.is_lost:
            with contextlib.suppress(nats.errors.Error):
                await self._messages.unsubscribe()

    async def _receive(self, seconds: float) -> bool:
        """Receive a message. Returns False if there is none within `seconds`."""
        known = self._waiting > 0 or self._messages.pending_msgs > 0
        if not known and seconds <= 0:
            return False
        try:
            received = await self._messages.next_msg(ANSWER_SECONDS if known else seconds)
        except nats.errors.TimeoutError:
            if known:
                raise PrimaryGone("NATS: the messages of the stream do not arrive") from None
            return False
        self._waiting = received.metadata.num_pending
        self._take(received)
        return True

    def _take(self, received: nats.aio.msg.Msg) -> None:
        encoding = (received.headers or {}).get(messages.ENCODING, "")
        message = messages.decode_message(received.data, encoding)
        if message.reset:
            raise StreamRestarted(message.reason)
        if message.epoch != self.point.epoch:
            raise StreamRestarted("the stream is of another database")
        if message.since > self._received:
            raise BrokenFeed(f"the stream has no revision {self._received + 1}")
        self._rest += (c for c in messages.changes_of(message) if c.revision > self._received)
        self._received = max(self._received, message.revision)
