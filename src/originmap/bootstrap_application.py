"""Builds the application: every route over an open store.

A server answers requests with it. If no server runs, a command answers them in its own process.
"""

from collections.abc import Callable

from originmap import data
from originmap.api.application import Application
from originmap.api.cloudflare import routes as cloudflare
from originmap.api.guard import Guard
from originmap.api.native import routes as native
from originmap.api.native.feed.events import Events
from originmap.api.native.metrics import Metrics
from originmap.api.traffic import Traffic
from originmap.bootstrap import Opened
from originmap.domain.access.rate_limit import parse
from originmap.service.access.access import Access
from originmap.service.access.brake import Brake
from originmap.service.access.operator_tokens import OperatorTokens
from originmap.service.access.rate_limiter import RateLimiter
from originmap.service.access.sessions import Sessions
from originmap.service.access.tokens import Tokens
from originmap.service.feed.broadcast import Broadcast
from originmap.service.feed.digests import Digests
from originmap.service.feed.promotion import Promotion
from originmap.service.history.audit import Audit
from originmap.service.history.history import ZoneHistory
from originmap.service.mapping.mappings import Mappings
from originmap.service.mapping.regions import Regions
from originmap.service.mapping.zones import Zones
from originmap.service.tier.resolve import Resolve
from originmap.service.vitals import Monitor
from originmap.settings import Settings
from originmap.store.clock import monotonic_clock, wall_clock

DEFAULTS = Settings()


def build_app(
    opened: Opened,
    ready: Callable[[], bool],
    settings: Settings = DEFAULTS,
    traffic: Traffic | None = None,
) -> Application:
    """Build the application over an open store. Only the settings of routes and limits are used;
    `traffic` counts responses for the metrics."""
    store, directory, topologies = opened.store, opened.directory, opened.topologies
    catalogue, groups = data.catalogue(), data.permission_groups()
    mappings = Mappings(store, catalogue)
    audit = Audit(store, directory, opened.zones, turns=topologies.turns)
    tokens = Tokens(store, directory, {group.id for group in groups}, wall_clock)
    services = cloudflare.Services(
        detector=opened.detector,
        directory=directory,
        mappings=mappings,
        regions=Regions(catalogue, topologies),
        zones=Zones(store, directory, wall_clock),
        tokens=tokens,
        audit=audit,
        permission_groups=groups,
    )
    access, limiters = Access(directory, wall_clock), _limiters(settings.rate_limit)
    brake = Brake(monotonic_clock, enabled=settings.slow_guessing)
    guard = Guard(access, directory, brake, *limiters)
    store.follow_records(guard.forget)
    table = cloudflare.routes(guard, services, v1=settings.enable_v1)
    sessions = Sessions(store, access, wall_clock)
    traffic = (traffic or Traffic()) if settings.metrics else None
    own = _own_services(opened, ready, traffic, sessions, audit, tokens)
    return Application([*table, *native.routes(guard, own)], brake)


def _own_services(
    opened: Opened,
    ready: Callable[[], bool],
    traffic: Traffic | None,
    sessions: Sessions,
    audit: Audit,
    tokens: Tokens,
) -> native.NativeServices:
    store, followers, replication = opened.store, opened.followers, opened.replication
    broadcast = Broadcast(store, opened.feed, opened.zones, Events())
    monitor = Monitor(store, broadcast, followers, replication, opened.rollouts, wall_clock)
    return native.NativeServices(
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
        audit=audit,
        tokens=OperatorTokens(tokens, opened.directory),
        promotion=Promotion(store, replication),
        replication=replication,
        metrics=None if traffic is None else Metrics(traffic, monitor),
        ready=ready,
    )


def _limiters(rate_limit: str) -> list[RateLimiter | None]:
    """The rate limiters per user and per client address."""
    quotas = parse(rate_limit)
    return [None if quota is None else RateLimiter(quota, monotonic_clock) for quota in quotas]
