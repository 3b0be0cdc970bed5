"""A connection to a NATS server that is killed."""

import asyncio
import contextlib
import signal
from pathlib import Path

import nats.errors
import pytest

from originmap.domain.errors import PrimaryGone
from originmap.jetstream.connection import NatsConnection, connected
from tests.jetstream.broker import Broker
from tests.jetstream.primary import access_to


async def publish(connection: NatsConnection) -> None:
    with contextlib.suppress(nats.errors.Error):
        while True:
            await connection.client.publish("subject", b"message")
            await asyncio.sleep(0)


async def test_a_connection_that_is_reset_while_it_sends_is_lost(tmp_path: Path) -> None:
    """A server that is killed before it has read everything resets the connection."""
    with Broker(tmp_path) as broker:
        async with connected(access_to(broker.address, "STREAM"), "test") as connection:
            assert broker.process is not None
            broker.process.send_signal(signal.SIGSTOP)
            sending = asyncio.create_task(publish(connection))
            await asyncio.sleep(0.1)
            await asyncio.to_thread(broker.kill)
            await sending
            with pytest.raises(PrimaryGone, match="is lost"):
                await asyncio.wait_for(connection.watch(), 10)
            assert connection.is_lost
