"""Builds the source that a replica or an agent follows: a server over HTTP, or a stream of NATS.

The only module that loads `originmap.jetstream`, and with it nats-py, which is optional.
"""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from originmap.api.access_log import log_json
from originmap.domain.nats_url import NatsURL, is_nats, parse_nats
from originmap.edge.follow.feed_client import FeedClient
from originmap.edge.follow.source import FeedSource
from originmap.outbound.errors import UnusableEnvironment
from originmap.settings import (
    EdgeSettings,
    PublishSettings,
    Settings,
    bytes_of,
    outbound_environment,
)

if TYPE_CHECKING:
    from originmap.jetstream.connection import NatsAccess


def feed_source(
    settings: Settings | EdgeSettings, name: str, *, of_nodes: bool = False
) -> AbstractAsyncContextManager[FeedSource]:
    """The source of --follow, for a follower called `name`. Raises FeedError if the URL is invalid,
    UnusableEnvironment."""
    most = bytes_of(settings.copy_limit)
    if not is_nats(settings.follow):
        environment = outbound_environment()
        return FeedClient(
            settings.follow, settings.token, name, environment, most, of_nodes=of_nodes
        )
    access = _access(parse_nats(settings.follow), settings)
    from originmap.jetstream.source import JetStreamSource

    return JetStreamSource(access, name, most, of_nodes=of_nodes)


async def publish(settings: PublishSettings, on_start: Callable[[str], None]) -> None:
    """Publish a server's changes until SIGTERM or SIGINT. `on_start` is called with the name of the
    publisher. Raises FeedError if the URL of the server is invalid, UnusableEnvironment."""
    log_json()
    logging.getLogger("originmap").setLevel(logging.INFO)
    name = settings.name or socket.gethostname()
    access = _access(parse_nats(settings.servers)._replace(stream=settings.stream), settings)
    from originmap.jetstream.publisher import Publisher, StreamLimits

    most, environment = bytes_of(settings.copy_limit), outbound_environment()
    async with FeedClient(
        settings.follow, settings.token, name, environment, most, of_nodes=True
    ) as client:
        limits = StreamLimits(settings.keep, settings.replicas)
        work = asyncio.create_task(Publisher(access, client, name, limits).run())
        with contextlib.suppress(NotImplementedError):  # Windows, whose Ctrl-C is an exception
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, work.cancel)
        on_start(name)
        await asyncio.wait((work,))
        if not work.cancelled():
            work.result()


def _access(url: NatsURL, settings: Settings | EdgeSettings | PublishSettings) -> "NatsAccess":
    try:
        from originmap.jetstream.connection import NatsAccess
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "nats":
            raise
        missing = UnusableEnvironment(
            str(url), "nats-py is not installed", "pip install 'originmap[nats]'"
        )
        missing.page = "nats.md"
        raise missing from None
    from originmap.jetstream.credentials import NatsCredentials, read_credentials

    text = settings.nats_credentials
    return NatsAccess(
        url,
        read_credentials("--nats-credentials", text) if text else NatsCredentials(),
        settings.nats_certificate,
        outbound_environment(),
    )
