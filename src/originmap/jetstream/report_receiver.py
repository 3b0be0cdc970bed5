"""Passes the reports of nodes on to the server that the publisher follows."""

import asyncio
import contextlib

import msgspec
import nats.aio.msg
import nats.errors

from originmap.domain.errors import FeedError, PrimaryRefused
from originmap.edge.follow.feed_client import FeedClient
from originmap.jetstream import messages
from originmap.jetstream.connection import NatsConnection
from originmap.service.feed.followers import NAME, Report

_AT_ONCE = 16
_REPORT = msgspec.json.Decoder(Report)


class ReportReceiver:
    """Answers each report with an empty message, or with the status and text of a refusal."""

    def __init__(self, client: FeedClient) -> None:
        self._client = client
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, connection: NatsConnection, stream: str) -> None:
        """Serve until the connection ends. With several publishers one of them gets a report."""
        before = len(messages.report_subject(stream, ""))

        async def received(message: nats.aio.msg.Msg) -> None:
            await self._free.acquire()
            task = asyncio.create_task(self._pass_on(message, message.subject[before:]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda _: self._free.release())

        subject = messages.report_subject(stream, ">")
        await connection.client.subscribe(subject, queue="publisher", cb=received)

    async def _pass_on(self, message: nats.aio.msg.Msg, name: str) -> None:
        try:
            if not NAME.fullmatch(name):
                raise PrimaryRefused(400, "invalid name of a follower")
            await self._client.report(_REPORT.decode(message.data), name)
            answer = b""
        except msgspec.MsgspecError as error:
            answer = f"400 {error}".encode()
        except PrimaryRefused as error:
            answer = f"{error.status} {error.text}".encode()
        except FeedError:
            return  # the node reports again
        if message.reply:
            with contextlib.suppress(nats.errors.Error):  # the connection is lost
                await message.respond(answer)
