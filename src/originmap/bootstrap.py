"""The only place where concrete classes meet: from settings to a running server."""

import asyncio
import contextlib
import datetime
import gc
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from originmap import data, databases
from originmap.admin.path import socket_path
from originmap.admin.server import AdminServer
from originmap.api import protocol
from originmap.api.accesslog import AccessLog, SilentLog, log_json
from originmap.api.app import App
from originmap.api.auth import Guard
from originmap.api.cloudflare import routes as cloudflare
from originmap.api.cloudflare.quick_mapping import QuickMapping
from originmap.api.gate import Gate
from originmap.api.limits import Limits
from originmap.api.listening import listen
from originmap.api.native import routes as native
from originmap.api.native.events import Events
from originmap.api.native.metrics import Metrics
from originmap.api.quick import Quick
from originmap.api.request import Rays
from originmap.api.server import Server, server_config, stop_on_signals
from originmap.api.traffic import Traffic
from originmap.detect.errors import NoRanges
from originmap.detect.files import RangeFiles
from originmap.detect.watch import watch
from originmap.domain.catalogue import Catalogue
from originmap.domain.ranges import RangeTable
from originmap.domain.rate_limit import parse
from originmap.domain.tier import Tiers
from originmap.service import setup
from originmap.service.access import Access
from originmap.service.administration import Administration, Command, Streamed
from originmap.service.audit import Audit
from originmap.service.brake import Brake
from originmap.service.broadcast import Broadcast
from originmap.service.detector import Detector
from originmap.service.directory import Directory
from originmap.service.exports import Exports
from originmap.service.feed import Feed
from originmap.service.followers import Followers
from originmap.service.history import ZoneHistory
from originmap.service.mappings import Mappings
from originmap.service.operate.changes import OperateChanges
from originmap.service.operate.copies import OperateCopies
from originmap.service.operate.exports import OperateExports
from originmap.service.operate.history import OperateHistory
from originmap.service.operate.origins import OperateOrigins
from originmap.service.operate.rollouts import OperateRollouts
from originmap.service.operate.tokens import OperateTokens
from originmap.service.operate.topology import OperateTopology
from originmap.service.operate.zones import OperateZones
from originmap.service.past_zones import PastZones
from originmap.service.rate_limiter import RateLimiter
from originmap.service.regions import Regions, SupportedRegion, supported
from originmap.service.replication import Replication
from originmap.service.resolve import Resolve
from originmap.service.retention import Retention
from originmap.service.rollouts import Rollouts
from originmap.service.tokens import Tokens
from originmap.service.topology import Topologies
from originmap.service.vitals import Monitor
from originmap.service.zones import Zones
from originmap.settings import Settings
from originmap.store.clock import monotonic_clock, wall_clock
from originmap.store.port import Store

MEMORY = databases.MEMORY
DEFAULTS = Settings()
Prepare = Callable[[Store, Directory, Callable[[], int], str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Opened:
    """An open store, prepared, with what is known of it in memory."""

    store: Store
    directory: Directory
    topologies: Topologies
    detector: Detector
    zones: PastZones
    feed: Feed
    followers: Followers
    rollouts: Rollouts
    exports: Exports
    replication: Replication | None = None

    @property
    def administration(self) -> Administration:
        """What the operator's commands are carried out by."""
        resolve = Resolve(self.store, self.topologies)
        return Administration(
            [
                OperateZones(self.store, self.directory, wall_clock),
                OperateTokens(self.store, self.directory, wall_clock),
                OperateChanges(Audit(self.store, self.directory, self.zones)),
                OperateHistory(ZoneHistory(self.store), self.directory),
                OperateCopies(self.store, self.followers, self.replication),
                OperateRollouts(self.rollouts),
                OperateTopology(self.topologies, resolve, self.directory),
                OperateOrigins(self.store, self.directory, resolve),
            ],
            OperateExports(self.exports, self.directory),
        )


@contextlib.asynccontextmanager
async def open_store(
    db: str, prepare: Prepare = setup.prepare_to_serve, replication: Replication | None = None
) -> AsyncIterator[Opened]:
    """Open the store that `db` names, and close it at the end. Raises StoreError."""
    async with databases.opened(db) as store:
        directory = Directory()
        store.follow_records(directory.apply)
        await prepare(store, directory, wall_clock, databases.shown(db))
        catalogue = data.catalogue()
        topologies = Topologies(store, catalogue, data.topology(), wall_clock)
        detector, zones = Detector(catalogue, RangeTable()), PastZones(store, directory)
        feed, followers = Feed(store, zones), Followers(store, wall_clock)
        rollouts = Rollouts(store, followers, topologies, wall_clock)
        known = (directory, topologies, detector, zones)
        exports = Exports(store, topologies, catalogue)
        yield Opened(store, *known, feed, followers, rollouts, exports, replication)


async def administer(db: str, command: Command) -> list[Any]:
    """Carry a command out on a database that no process owns. Raises OriginmapError."""
    async with open_store(db, setup.prepare_to_administer) as opened:
        return await opened.administration.run(command)


async def stream(db: str, command: Streamed, sink: Callable[[bytes], object]) -> None:
    """As `administer`, for a command that is answered with bytes."""
    async with open_store(db, setup.prepare_to_administer) as opened:
        async for chunk in await opened.administration.stream(command):
            sink(chunk)


def packaged_catalogue() -> Catalogue:
    """The packaged catalogue."""
    return data.catalogue()


def packaged_regions() -> tuple[SupportedRegion, ...]:
    """The packaged catalogue, seen from the packaged topology."""
    catalogue = data.catalogue()
    return supported(catalogue, Tiers(catalogue, data.topology(), {}))


def range_files(folder: str) -> RangeFiles:
    """The vendors' published ranges that a folder keeps."""
    return RangeFiles(Path(folder), lambda: datetime.datetime.now(datetime.UTC))


def detector(files: RangeFiles) -> Detector:
    """Detection with the ranges there are now. Raises RangesError, also when there are none."""
    table = files.table()
    if not table.vendors:
        raise NoRanges(str(files.folder))
    return Detector(data.catalogue(), table)


def build_app(
    opened: Opened,
    ready: Callable[[], bool],
    settings: Settings = DEFAULTS,
    traffic: Traffic | None = None,
) -> App:
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
        audit=Audit(store, directory, opened.zones),
        permission_groups=groups,
    )
    access, limiters = Access(directory, wall_clock), _limiters(settings.rate_limit)
    brake = Brake(monotonic_clock, enabled=settings.slow_guessing)
    guard = Guard(access, brake, *limiters)
    table = cloudflare.routes(guard, services, v1=settings.enable_v1)
    # What is counted goes the long way, where the counting is.
    quick = None if any(limiters) else _quick(access, mappings, opened)
    own = _own_services(opened, ready, (traffic or Traffic()) if settings.metrics else None)
    return App({**table, **native.routes(guard, own)}, brake, quick)


def _own_services(
    opened: Opened, ready: Callable[[], bool], traffic: Traffic | None
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
        broadcast=broadcast,
        followers=followers,
        rollouts=opened.rollouts,
        history=ZoneHistory(store),
        replication=replication,
        metrics=None if traffic is None else Metrics(traffic, monitor),
        ready=ready,
    )


def _quick(access: Access, mappings: Mappings, opened: Opened) -> Quick:
    quick = QuickMapping(access, mappings, opened.detector)
    opened.store.follow_records(quick.forget)
    return quick


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
    rays = Rays(settings.colo)
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

        app = build_app(opened, ready, settings, log.traffic)
        gate = Gate(app.falcon, rays, log)
        make_protocol = protocol.protocol_factory(Limits(), rays, log, app.quick)
        config = server_config(gate, make_protocol)
        server = Server(config, opened.feed.stop)
        stop_on_signals(server)
        _calm_collector()
        on_start(settings.host, sock.getsockname()[1])
        async with _following(settings, opened, config):
            await server.serve(sockets=[sock])
        log.flush()


def _retention(opened: Opened, settings: Settings) -> Coroutine[None, None, None]:
    limits = (settings.history_days, settings.history_changes)
    return Retention(opened.store, *limits, wall_clock, lambda: opened.rollouts.floor).run()


@contextlib.asynccontextmanager
async def _following(
    settings: Settings, opened: Opened, config: uvicorn.Config
) -> AsyncIterator[None]:
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
                config.encoded_headers = [(AGE_HEADER.encode(), b"%.3f" % copy.age)]
            await asyncio.sleep(0.5)

    name = settings.name or socket.gethostname()
    async with (
        FeedClient(copy.primary, settings.token, name) as client,
        running(Follower(opened.store, client, copy, lambda: opened.rollouts.floor).run()),
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


def _calm_collector() -> None:
    """Leave what is there for good out of garbage collections, and make them rare: requests make
    many objects and no cycles, and a batch made so many that collecting took a tenth of it. The
    little garbage of a start stays: looking for it took longer than all else after the imports."""
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
