"""Builds the server: HTTP over an open store, and its background tasks."""

import asyncio
import contextlib
import gc
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from originmap import databases
from originmap.api.access_log import AccessLog, SilentLog, log_json
from originmap.api.application import Application
from originmap.api.descriptors import connections_within
from originmap.api.http.limits import MOST_CONNECTIONS, Limits
from originmap.api.http.protocol import Connection, Context
from originmap.api.listener import listen
from originmap.api.operator_listener import operator_listener
from originmap.api.request_ids import RequestIDs
from originmap.api.server import HTTPServer, stop_on_signals
from originmap.api.traffic import Traffic
from originmap.bootstrap import Opened, Prepare, hook_senders, open_store, range_files
from originmap.bootstrap_application import build_app
from originmap.bootstrap_xds import serving_nodes
from originmap.detect.watch import RangesWatch
from originmap.operator_socket import socket_path
from originmap.service import initial_data
from originmap.service.background import running
from originmap.service.detection.detector import Detector
from originmap.service.feed.replication import AGE_HEADER, Replication
from originmap.service.history.retention import Retention
from originmap.service.hook.courier import DeliverySetup
from originmap.service.hook.deliveries import Deliveries
from originmap.settings import Settings
from originmap.store.clock import SYSTEM, Clocks, wall_clock
from originmap.store.port import ReadFrom
from originmap.store.postgres.url import is_postgres

if TYPE_CHECKING:
    from originmap.edge.follow.report_relay import ReportRelay

OPERATOR_LIMITS = Limits(url=1 << 20, connections=2 * MOST_CONNECTIONS)
"""Of the operator's socket: not shared with other clients; URLs can name many upper tiers."""


Build = Callable[[Opened, Callable[[], bool], Settings, Traffic, Clocks], Application]


class Blueprint(NamedTuple):
    """What differs between a production server and a development server."""

    prepare: Prepare
    clocks: Clocks = SYSTEM
    build: Build = build_app


async def serve(
    settings: Settings, blueprint: Blueprint, on_start: Callable[[str, int], None]
) -> None:
    """Serve until SIGTERM or SIGINT. `on_start` is called with the host and the port once the
    server listens. Raises OriginmapError if it cannot start."""
    prepare, clocks, build = blueprint
    log, ids = _access_log(settings), RequestIDs(settings.colo)
    replication = Replication(settings.follow, wall_clock) if settings.follow else None
    if replication is not None:
        prepare = partial(initial_data.prepare_replica, replication.primary)
    store = open_store(settings.db, prepare, replication, _standby_of(settings), now=clocks.wall)
    async with (
        store as opened,
        _watched_ranges(settings.ranges, opened.detector),
        running(_retention(opened, settings)),
    ):
        sock = listen(settings.host, settings.port)
        server: HTTPServer | None = None

        def ready() -> bool:
            return opened.store.writable and server is not None and not server.stopping

        application = build(opened, ready, settings, log.traffic, clocks)
        limits = Limits(connections=connections_within(MOST_CONNECTIONS))
        context = Context(application, limits, ids, log)
        stop = partial(_stop_waiting, opened, application)
        server = HTTPServer(context, stop)
        stop_on_signals(server)
        calm_collector()
        async with (
            _for_operator(settings.db, context, server),
            _following(settings, opened, server) as relay,
            _delivering(settings, opened, clocks),
            serving_nodes(settings, opened, clocks, relay, server.stop),
        ):
            on_start(settings.host, sock.getsockname()[1])
            await server.serve(sock)
        log.flush()


def _standby_of(settings: Settings) -> ReadFrom | None:
    if not settings.read_from:
        return None
    return ReadFrom(settings.read_from, settings.read_from_max_lag)


def _delivering(
    settings: Settings, opened: Opened, clocks: Clocks
) -> contextlib.AbstractAsyncContextManager[None]:
    """Deliver webhooks, unless this is a replica."""
    if opened.replication is not None:
        return contextlib.nullcontext()
    alone = not is_postgres(settings.db)
    holder = "" if alone else secrets.token_hex(8)
    setup = DeliverySetup(opened.store, opened.feed, opened.hooks, clocks.wall, holder)
    return running(Deliveries(setup, hook_senders(private=settings.private_hooks)).run())


def _stop_waiting(opened: Opened, application: Application) -> None:
    """End the requests that wait for something to happen."""
    opened.feed.stop()
    application.stop()


def _access_log(settings: Settings) -> AccessLog:
    log_json()
    return AccessLog() if settings.log_requests else SilentLog()


def _retention(opened: Opened, settings: Settings) -> Coroutine[None, None, None]:
    limits = (settings.history_days, settings.history_changes)
    return Retention(opened.store, *limits, wall_clock, lambda: opened.rollouts.floor).run()


@contextlib.asynccontextmanager
async def _following(
    settings: Settings, opened: Opened, server: HTTPServer
) -> AsyncIterator["ReportRelay | None"]:
    """Keep a replica's store up to date, and send its age with each response. The value passes
    reports on to the primary."""
    copy = opened.replication
    if copy is None:
        yield None
        return
    # Only a replica needs an HTTP client, so only a replica pays for the import.
    from originmap.bootstrap_follow import feed_source
    from originmap.edge.follow.follower import Follower
    from originmap.edge.follow.report_relay import ReportRelay

    async def update_age_header() -> None:
        while True:
            if copy.loaded:
                server.connections.set_header(AGE_HEADER, f"{copy.age:.3f}")
            await asyncio.sleep(0.5 if copy.loaded else 0.02)

    async def follow() -> None:
        try:
            await Follower(opened.store, client, copy, lambda: opened.rollouts.floor).run()
        except Exception:  # waiting does not help; a restart may
            server.stop()
            raise

    name = settings.name or socket.gethostname()
    async with (
        feed_source(settings, name) as client,
        running(follow()),
        running(update_age_header()),
    ):
        relay = ReportRelay(opened.followers, client)
        async with running(relay.run()):
            yield relay


def calm_collector() -> None:
    """Freeze the objects of the start-up and make garbage collections rare: requests create many
    objects but no cycles, and collections took a tenth of the time of a batch. There is no
    collection before the freeze: the garbage of a start is small and not worth the time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@contextlib.asynccontextmanager
async def _watched_ranges(folder: str, detector: Detector) -> AsyncIterator[None]:
    if not folder:
        yield
        return
    watch = RangesWatch(Path(folder), lambda: range_files(folder).table(), detector.replace)
    await watch.look()  # the first request already needs the ranges
    async with running(watch.run()):
        yield


def _for_operator(
    db: str, context: Context, server: HTTPServer
) -> contextlib.AbstractAsyncContextManager[None]:
    """Also listen for the operator, on the Unix socket beside a database file."""
    if not databases.is_file(db):
        return contextlib.nullcontext()
    operator_context = context._replace(limits=OPERATOR_LIMITS, of_operator=True)
    make_protocol = partial(Connection, operator_context, server.connections)
    return operator_listener(socket_path(Path(db)), make_protocol)
