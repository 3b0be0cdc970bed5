"""The table of our own routes."""

from collections.abc import Callable
from typing import NamedTuple

from originmap.api.guard import Guard
from originmap.api.http.router import Route
from originmap.api.native.audit import AuditList
from originmap.api.native.discovery import Discover
from originmap.api.native.export import ExportFile
from originmap.api.native.feed.changes import Changes
from originmap.api.native.feed.digest import Digest
from originmap.api.native.feed.files import Files
from originmap.api.native.feed.followers import FollowerItem, FollowerList
from originmap.api.native.feed.snapshot import SnapshotRoute
from originmap.api.native.feed.views import Views
from originmap.api.native.health import HealthRoutes
from originmap.api.native.history import PastMappings, ZoneChanges, ZoneRollback
from originmap.api.native.hooks import HookRoutes
from originmap.api.native.metrics import Metrics
from originmap.api.native.openapi import OpenAPIDocument
from originmap.api.native.promotion import Promote
from originmap.api.native.reports import ReportList
from originmap.api.native.rollout import RolloutItem
from originmap.api.native.tier.catalogue import OwnBatchRoutes, OwnCatalogue
from originmap.api.native.tier.detect import Detect
from originmap.api.native.tier.pools import ZonePools
from originmap.api.native.tier.regions import RegionList
from originmap.api.native.tier.resolve import WhatIf, ZoneResolve
from originmap.api.native.tier.topology import LARGE_BODY, LatencySet, TopologyItem
from originmap.api.native.tokens import TokenList
from originmap.api.native.zone_selection import ZoneSelection
from originmap.domain.access.permissions import READ_MAPPINGS, READ_STATE, WRITE_MAPPINGS
from originmap.export.discovery import KINDS
from originmap.service.access.directory import Directory
from originmap.service.access.operator_tokens import OperatorTokens
from originmap.service.access.sessions import Sessions
from originmap.service.detection.detector import Detector
from originmap.service.export.discovery import Discovery
from originmap.service.export.exports import Exports
from originmap.service.feed.broadcast import Broadcast
from originmap.service.feed.digests import Digests
from originmap.service.feed.feed import Feed
from originmap.service.feed.followers import Followers
from originmap.service.feed.promotion import Promotion
from originmap.service.feed.replication import Replication
from originmap.service.history.audit import Audit
from originmap.service.history.history import ZoneHistory
from originmap.service.history.reports import Reports
from originmap.service.hook.hooks import Hooks
from originmap.service.mapping.catalogues import Catalogues
from originmap.service.mapping.mappings import Mappings
from originmap.service.mapping.zones import Zones
from originmap.service.rollout.rollouts import Rollouts
from originmap.service.tier.owners import Owners
from originmap.service.tier.regions_in_use import RegionsInUse
from originmap.service.tier.resolve import Resolve
from originmap.service.tier.topology import Topologies
from originmap.service.vitals import StandbyNow

BASE = "/originmap/v1"
DISCOVERY = "/v3/discovery"
"""Envoy's path, which cannot be configured."""


class NativeServices(NamedTuple):
    """The services that the routes use."""

    detector: Detector
    directory: Directory
    catalogues: Catalogues
    mappings: Mappings
    topologies: Topologies
    resolve: Resolve
    zones: Zones
    regions: RegionsInUse
    exports: Exports
    feed: Feed
    digests: Digests
    broadcast: Broadcast
    sessions: Sessions
    followers: Followers
    rollouts: Rollouts
    history: ZoneHistory
    audit: Audit
    tokens: OperatorTokens
    hooks: Hooks
    reports: Reports
    promotion: Promotion
    replication: Replication | None
    standby: Callable[[], StandbyNow | None]
    metrics: Metrics | None
    ready: Callable[[], bool]


def routes(guard: Guard, services: NativeServices) -> list[Route]:
    """All of our own routes."""
    health = HealthRoutes(guard, services.ready, services.replication, services.standby)
    metrics = services.metrics
    return [
        Route("GET", "/healthz", guard.no_credential, health.get_health),
        Route("GET", "/readyz", guard.no_credential, health.get_readiness),
        *([Route("GET", "/metrics", guard.no_credential, metrics.get_metrics)] if metrics else ()),
        Route("GET", BASE + "/openapi.json", guard.no_credential, OpenAPIDocument().get_document),
        *_topology_routes(guard, services),
        *_zone_routes(guard, services),
        *_feed_routes(guard, services),
        *_export_routes(guard, services),
        *_operator_routes(guard, services),
        *_hook_routes(guard, services),
    ]


def _topology_routes(guard: Guard, services: NativeServices) -> list[Route]:
    topology, latencies = TopologyItem(services.topologies), LatencySet(services.topologies)
    turns = services.topologies.turns
    detect = Detect(guard, services.detector, turns)
    what_if = WhatIf(guard, services.resolve, turns)
    regions = RegionList(guard, services.regions)
    large = (
        Route("PUT", BASE + "/latencies", guard.operator, latencies.set_latencies),
        Route("PUT", BASE + "/topology", guard.operator, topology.set_topology),
        Route("PATCH", BASE + "/topology", guard.operator, topology.change_topology),
        Route("POST", BASE + "/whatif", guard.anyone, what_if.what_if),
    )
    own = OwnCatalogue(services.catalogues, turns)
    return [
        Route("GET", BASE + "/topology", guard.anyone_or_node, topology.get_topology),
        *(route._replace(max_body=LARGE_BODY) for route in large),
        Route("GET", BASE + "/latencies", guard.anyone_or_node, latencies.get_latencies),
        Route("GET", BASE + "/catalogue", guard.anyone_or_node, own.get_regions),
        Route("PUT", BASE + "/catalogue", guard.operator, own.set_regions),
        Route("PATCH", BASE + "/catalogue", guard.operator, own.change_regions),
        Route("GET", BASE + "/regions", guard.anyone, regions.list_regions),
        Route("POST", BASE + "/detect", guard.anyone, detect.detect),
    ]


def _zone_routes(guard: Guard, services: NativeServices) -> list[Route]:
    zone = BASE + "/zones/{zone}"
    read, write = guard.zone(READ_MAPPINGS), guard.zone(WRITE_MAPPINGS)
    state = guard.zone(READ_STATE, nodes=True)
    past = (guard, services.history)
    resolve = ZoneResolve(guard, services.directory, services.resolve, Owners(services.topologies))
    batch = OwnBatchRoutes(services.mappings, services.detector)
    pools = ZonePools(services.directory, services.zones, services.topologies.turns)
    return [
        Route("GET", zone + "/pools", read, pools.list_pools),
        Route("PUT", zone + "/pools", write, pools.set_pools),
        Route("GET", zone + "/resolve", state, resolve.resolve),
        Route("GET", zone + "/history", read, ZoneChanges(*past).list_changes),
        Route("GET", zone + "/mappings", read, PastMappings(*past).list_mappings),
        Route("PUT", zone + "/mappings/batch", write, batch.put_mappings),
        Route("DELETE", zone + "/mappings/batch", write, batch.delete_mappings),
        Route("POST", zone + "/rollback", write, ZoneRollback(*past).rollback),
    ]


def _feed_routes(guard: Guard, services: NativeServices) -> list[Route]:
    feed, followers, sessions = services.feed, services.followers, services.sessions
    views, files = Views(guard, services.directory), Files(guard, sessions)
    changes = Changes(guard, views, feed, services.broadcast, followers, sessions)
    snapshot = SnapshotRoute(views, feed, services.rollouts, files)
    rollout, reports = RolloutItem(services.rollouts), FollowerItem(guard, followers)
    listed = FollowerList(followers, services.topologies.turns)
    digest = Digest(views, services.digests)
    return [
        Route("GET", BASE + "/changes", guard.anyone_or_node, changes.list_changes),
        Route("GET", BASE + "/snapshot", guard.anyone_or_node, snapshot.get_snapshot),
        Route("GET", BASE + "/digest", guard.state, digest.get_digest),
        Route("GET", BASE + "/rollout", guard.state, rollout.get_rollout),
        Route("POST", BASE + "/rollout", guard.operator, rollout.take_step),
        Route("GET", BASE + "/followers", guard.operator, listed.list_followers),
        Route("PUT", BASE + "/followers/{name}", guard.anyone_or_node, reports.report),
    ]


def _export_routes(guard: Guard, services: NativeServices) -> list[Route]:
    zones, files = ZoneSelection(guard, services.directory), Files(guard, services.sessions)
    discovery, export = Discovery(services.exports), ExportFile(zones, services.exports, files)
    path, anyone = BASE + "/export/{format}", guard.anyone_or_node
    table = [
        Route("GET", path, anyone, export.get_export),
        Route("GET", path + "/names", anyone, export.list_names),
        Route("GET", path + "/family", anyone, export.list_family),
    ]
    for kind in KINDS:
        discover = Discover(guard, zones, discovery, kind, files).discover
        table.append(Route("POST", f"{DISCOVERY}:{kind.name}", anyone, discover))
    return table


def _operator_routes(guard: Guard, services: NativeServices) -> list[Route]:
    tokens, audit = TokenList(services.tokens), AuditList(guard, services.audit)
    token, promote = BASE + "/tokens/{token}", Promote(services.promotion).promote
    return [
        Route("GET", BASE + "/tokens", guard.tokens, tokens.list_tokens),
        Route("POST", BASE + "/tokens", guard.tokens, tokens.create_token),
        Route("DELETE", token, guard.tokens, tokens.revoke_token),
        Route("GET", BASE + "/audit", guard.whole, audit.list_entries),
        Route("POST", BASE + "/promote", guard.operator, promote),
    ]


def _hook_routes(guard: Guard, services: NativeServices) -> list[Route]:
    hooks, reports = HookRoutes(services.hooks), ReportList(services.reports)
    hook, operator = BASE + "/hooks/{hook}", guard.operator
    return [
        Route("GET", BASE + "/hooks", operator, hooks.list_hooks),
        Route("POST", BASE + "/hooks", operator, hooks.add_hook),
        Route("DELETE", hook, operator, hooks.remove_hook),
        Route("POST", hook + "/test", operator, hooks.test_hook),
        Route("GET", hook + "/dead", operator, hooks.list_letters),
        Route("POST", hook + "/dead", operator, hooks.retry_letters),
        Route("DELETE", hook + "/dead", operator, hooks.discard_letters),
        Route("GET", BASE + "/reports", operator, reports.list_reports),
        Route("POST", BASE + "/reports", operator, reports.record_report),
    ]
