"""Builds the application: every route over an open store.

A server answers requests with it. If no server runs, a command answers them in its own process.
"""

from collections.abc import Callable, Sequence
from functools import partial

from originmap import data
from originmap.api.application import Application
from originmap.api.cloudflare import routes as cloudflare
from originmap.api.guard import Guard
from originmap.api.http.router import Route
from originmap.api.native import routes as native
from originmap.api.native.feed.events import Events
from originmap.api.native.metrics import Metrics
from originmap.api.traffic import Traffic
from originmap.api.ui.mount import PageMount, PageSetup
from originmap.bootstrap import Opened, hook_senders
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
from originmap.service.history.reports import Reports
from originmap.service.hook.hooks import Hooks
from originmap.service.mapping.mappings import Mappings
from originmap.service.mapping.regions import Regions
from originmap.service.mapping.zones import Zones
from originmap.service.tier.regions_in_use import RegionsInUse
from originmap.service.tier.resolve import Resolve
from originmap.service.vitals import Monitor, standby_now
from originmap.settings import Settings
from originmap.store.clock import SYSTEM, Clocks, Now

DEFAULTS = Settings()

Finish = Callable[[Sequence[Route], Guard, Brake], Application]
"""Makes the application of its routes and the checks that they share."""


def pages_of(
    routes: Sequence[Route],
    guard: Guard,
    brake: Brake,
    settings: Settings,
    clocks: Clocks,
    dev_token: str = "",
) -> PageMount | None:
    """The web page over these routes, unless it is turned off. With a `dev_token`, visitors from
    this machine are signed in with it."""
    if not settings.ui:
        return None
    return PageMount(PageSetup(routes, guard, brake, clocks.wall, clocks.elapsed, dev_token))


def build_app(
    opened: Opened,
    ready: Callable[[], bool],
    settings: Settings = DEFAULTS,
    traffic: Traffic | None = None,
    clocks: Clocks = SYSTEM,
    finish: Finish | None = None,
) -> Application:
    """Build the application over an open store. Only the settings of routes and limits are used;
    `traffic` counts responses for the metrics."""
    store, directory, topologies = opened.store, opened.directory, opened.topologies
    groups = data.permission_groups()
    catalogues = opened.catalogues
    visible = catalogues.current if settings.own_vendors else catalogues.packaged
    audit = Audit(store, directory, opened.zones, turns=topologies.turns)
    tokens = Tokens(store, directory, {group.id for group in groups}, clocks.wall)
    services = cloudflare.Services(
        detector=opened.detector,
        directory=directory,
        mappings=Mappings(store, visible),
        regions=Regions(visible, topologies),
        zones=Zones(store, directory, clocks.wall),
        tokens=tokens,
        audit=audit,
        permission_groups=groups,
    )
    access = Access(directory, clocks.wall)
    limiters = _limiters(settings.rate_limit, clocks.elapsed)
    brake = Brake(clocks.elapsed, enabled=settings.slow_guessing)
    guard = Guard(access, directory, brake, *limiters)
    store.follow_records(guard.forget)
    table = cloudflare.routes(guard, services, v1=settings.enable_v1)
    sessions = Sessions(store, access, clocks.wall)
    traffic = (traffic or Traffic()) if settings.metrics else None
    own = _own_services(opened, ready, traffic, sessions, audit, tokens, settings, clocks.wall)
    table += native.routes(guard, own)
    if finish is not None:
        return finish(table, guard, brake)
    pages, standby = pages_of(table, guard, brake, settings, clocks), store.standby
    return Application(table, brake, pages, standby.note if standby else None)


def _hooks(opened: Opened, settings: Settings, now: Now) -> Hooks:
    private = settings.private_hooks
    return Hooks(opened.store, opened.hooks, hook_senders(private=private), now, private=private)


def _monitor(opened: Opened, broadcast: Broadcast, now: Now) -> Monitor:
    store, followers, replication = opened.store, opened.followers, opened.replication
    own = (opened.rollouts, opened.hooks, opened.stream_counts)
    return Monitor(store, broadcast, followers, replication, *own, now)


def _own_services(
    opened: Opened,
    ready: Callable[[], bool],
    traffic: Traffic | None,
    sessions: Sessions,
    audit: Audit,
    tokens: Tokens,
    settings: Settings,
    now: Now,
) -> native.NativeServices:
    store, followers, replication = opened.store, opened.followers, opened.replication
    broadcast = Broadcast(store, opened.feed, opened.zones, Events())
    monitor = _monitor(opened, broadcast, now)
    return native.NativeServices(
        detector=opened.detector,
        directory=opened.directory,
        catalogues=opened.catalogues,
        mappings=Mappings(store, opened.catalogues.current),
        topologies=opened.topologies,
        resolve=Resolve(store, opened.topologies),
        zones=Zones(store, opened.directory, now),
        regions=RegionsInUse(store, opened.catalogues.current, opened.topologies),
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
        hooks=_hooks(opened, settings, now),
        reports=Reports(store, now),
        promotion=Promotion(store, replication),
        replication=replication,
        standby=partial(standby_now, store),
        metrics=None if traffic is None else Metrics(traffic, monitor),
        ready=ready,
    )


def _limiters(rate_limit: str, elapsed: Now) -> list[RateLimiter | None]:
    """The rate limiters per user and per client address."""
    quotas = parse(rate_limit)
    return [None if quota is None else RateLimiter(quota, elapsed) for quota in quotas]
