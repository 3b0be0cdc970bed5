"""Where the concrete classes of a server meet: HTTP over an open store, and what runs beside it."""

import asyncio
import contextlib
import gc
import logging
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from pathlib import Path

import uvicorn

from originmap import data, databases
from originmap.admin.path import socket_path
from originmap.admin.server import AdminServer
from originmap.api.access_log import AccessLog, SilentLog, log_json
from originmap.api.cloudflare import routes as cloudflare
from originmap.api.descriptors import connections_within
from originmap.api.guard import Guard
from originmap.api.http.application import Application
from originmap.api.http.limits import MOST_CONNECTIONS, Limits
from originmap.api.http.protocol import Context, connection_factory
from originmap.api.http.request import RequestIDs
from originmap.api.listening import listen
from originmap.api.native import routes as native
from originmap.api.native.events import Events
from originmap.api.native.metrics import Metrics
from originmap.api.server import Server, server_config, stop_on_signals
from originmap.api.traffic import Traffic
from originmap.bootstrap import Opened, Prepare, open_store, range_files
from originmap.detect.watch import watch
from originmap.domain.errors import OriginmapError
from originmap.domain.rate_limit import parse
from originmap.service import setup
from originmap.service.access import Access
from originmap.service.audit import Audit
from originmap.service.brake import Brake
from originmap.service.broadcast import Broadcast
from originmap.service.detector import Detector
from originmap.service.digests import Digests
from originmap.service.history import ZoneHistory
from originmap.service.mappings import Mappings
from originmap.service.rate_limiter import RateLimiter
from originmap.service.regions import Regions
from originmap.service.replication import Replication
from originmap.service.resolve import Resolve
from originmap.service.retention import Retention
from originmap.service.sessions import Sessions
from originmap.service.tokens import Tokens
from originmap.service.vitals import Monitor
from originmap.service.zones import Zones
from originmap.settings import Settings, bytes_of, outbound_environment
from originmap.store.clock import monotonic_clock, wall_clock

DEFAULTS = Settings()


def build_app(
    opened: Opened,
    ready: Callable[[], bool],
    settings: Settings = DEFAULTS,
    traffic: Traffic | None = None,
) -> Application:
    """The application over an open store; of `settings` those about what is served. `traffic` is
    what was answered, for the metrics."""
    store, directory, topologies = opened.store, opened.directory, opened.topologies
    catalogue, groups = data.catalogue(), data.permission_groups()
    mappings = Mappings(store, catalogue)
    services = cloudflare.Services(
        detector=opened.detector,
        directory=directory,
        mappings=mappings,
        regions=Regions(catalogue, topologies),
        zones=Zones(store, directory, wall_clock),
        tokens=Tokens(store, directory, {group.id for group in groups}, wall_clock),
        audit=Audit(store, directory, opened.zones, turns=topologies.turns),
        permission_groups=groups,
    )
    access, limiters = Access(directory, wall_clock), _limiters(settings.rate_limit)
    brake = Brake(monotonic_clock, enabled=settings.slow_guessing)
    guard = Guard(access, directory, brake, *limiters)
    store.follow_records(guard.forget)
    table = cloudflare.routes(guard, services, v1=settings.enable_v1)
    sessions = Sessions(store, access, wall_clock)
    counted = (traffic or Traffic()) if settings.metrics else None
    own = _own_services(opened, ready, counted, sessions)
    return Application([*table, *native.routes(guard, own)], brake)


def _own_services(
    opened: Opened, ready: Callable[[], bool], traffic: Traffic | None, sessions: Sessions
) -> native.Services:
    store, followers, replication = opened.store, opened.followers, opened.replication
    broadcast = Broadcast(store, opened.feed, opened.zones, Events())
    monitor = Monitor(store, broadcast, followers, replication, opened.rollouts, wall_clock)
    return native.Services(
        detector=opened.detector,
        directory=opened.directory,
        topologies=opened.topologies,
        resolve=Resolve(store, opened.topologies),
        exports=opened.exports,
        feed=opened.feed,
        digests=Digests(store),
        broadcast=broadcast,
        sessions=sessions,
        followers=followers,
        rollouts=opened.rollouts,
        history=ZoneHistory(store, opened.topologies.turns),
        replication=replication,
        metrics=None if traffic is None else Metrics(traffic, monitor),
        ready=ready,
    )


def _limiters(rate_limit: str) -> list[RateLimiter | None]:
    """For users, and for addresses."""
    quotas = parse(rate_limit)
    return [None if quota is None else RateLimiter(quota, monotonic_clock) for quota in quotas]


async def serve(settings: Settings, prepare: Prepare, on_start: Callable[[str, int], None]) -> None:
    """Serve until SIGTERM or SIGINT. `on_start` is told the address once it is listened on.

    Raises OriginmapError when it cannot start.
    """
    log_json()
    # It warns of every request that is not HTTP; those are in the request log already.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    log = AccessLog() if settings.log_requests else SilentLog()
    ids = RequestIDs(settings.colo)
    replication = Replication(settings.follow, wall_clock) if settings.follow else None
    if replication is not None:
        prepare = partial(setup.prepare_replica, replication.primary)
    async with (
        open_store(settings.db, prepare, replication) as opened,
        _admin(settings.db, opened),
        _watched_ranges(settings.ranges, opened.detector),
        running(_retention(opened, settings)),
    ):
        sock = listen(settings.host, settings.port)
        server: uvicorn.Server | None = None

        def ready() -> bool:
            return opened.store.writable and server is not None and not server.should_exit

        application = build_app(opened, ready, settings, log.traffic)
        limits = Limits(connections=connections_within(MOST_CONNECTIONS))
        make_protocol = connection_factory(Context(application, limits, ids, log))
        server = Server(server_config(make_protocol), opened.feed.stop)
        stop_on_signals(server)
        calm_collector()
        on_start(settings.host, sock.getsockname()[1])
        async with _following(settings, opened, server):
            await server.serve(sockets=[sock])
        log.flush()


def _retention(opened: Opened, settings: Settings) -> Coroutine[None, None, None]:
    limits = (settings.history_days, settings.history_changes)
    return Retention(opened.store, *limits, wall_clock, lambda: opened.rollouts.floor).run()


@contextlib.asynccontextmanager
async def _following(settings: Settings, opened: Opened, server: Server) -> AsyncIterator[None]:
    """Keep a replica's store up to date meanwhile, and say in each answer how old it is."""
    copy = opened.replication
    if copy is None:
        yield
        return
    # Only a replica speaks HTTP to others, so only it pays for what that needs.
    from originmap.edge.feed_client import AGE_HEADER, FeedClient
    from originmap.edge.follower import Follower

    async def tell_age() -> None:
        while True:
            if copy.loaded:
                server.config.encoded_headers = [(AGE_HEADER.encode(), b"%.3f" % copy.age)]
            await asyncio.sleep(0.5 if copy.loaded else 0.02)

    async def follow() -> None:
        try:
            await Follower(opened.store, client, copy, lambda: opened.rollouts.floor).run()
        except OriginmapError:  # waiting does not help, and a start anew may
            server.should_exit = True
            raise

    name = settings.name or socket.gethostname()
    async with (
        FeedClient(
            copy.primary,
            settings.token,
            name,
            outbound_environment(),
            bytes_of(settings.copy_limit),
        ) as client,
        running(follow()),
        running(tell_age()),
    ):
        yield


@contextlib.asynccontextmanager
async def running(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Have `work` done meanwhile, and end it afterwards."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def calm_collector() -> None:
    """Leave what is there for good out of garbage collections, and make them rare: requests make
    many objects and no cycles, and a batch made so many that collecting took a tenth of it. The
    little garbage of a start stays: looking for it takes longer than it is worth."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@contextlib.asynccontextmanager
async def _watched_ranges(folder: str, detector: Detector) -> AsyncIterator[None]:
    if not folder:
        yield
        return
    async with running(watch(range_files(folder), detector.replace)):
        yield


@contextlib.asynccontextmanager
async def _admin(db: str, opened: Opened) -> AsyncIterator[None]:
    if not databases.is_file(db):
        yield
        return
    server = AdminServer(opened.administration, socket_path(Path(db)))
    await server.start()
    try:
        yield
    finally:
        await server.close()
