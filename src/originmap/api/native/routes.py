"""The table of our own routes."""

from collections.abc import Callable
from typing import NamedTuple

from originmap.api.auth import Guard
from originmap.api.native.changes import Changes
from originmap.api.native.detect import Detect
from originmap.api.native.digest import Digest
from originmap.api.native.discovery import Discover
from originmap.api.native.export import ExportFile
from originmap.api.native.files import Files
from originmap.api.native.followers import FollowerItem, FollowerList
from originmap.api.native.health import Health, Readiness
from originmap.api.native.history import ZoneChanges, ZoneMappings, ZoneRollback
from originmap.api.native.metrics import Metrics
from originmap.api.native.openapi import OpenAPIDocument
from originmap.api.native.resolve import WhatIf, ZoneResolve
from originmap.api.native.rollout import RolloutItem
from originmap.api.native.snapshot import Snapshot
from originmap.api.native.topology import LatencySet, TopologyItem
from originmap.api.native.views import Views
from originmap.api.native.zones_asked import ZonesAsked
from originmap.export.discovery import KINDS
from originmap.service.broadcast import Broadcast
from originmap.service.detector import Detector
from originmap.service.digests import Digests
from originmap.service.directory import Directory
from originmap.service.discovery import Discovery
from originmap.service.exports import Exports
from originmap.service.feed import Feed
from originmap.service.followers import Followers
from originmap.service.history import ZoneHistory
from originmap.service.replication import Replication
from originmap.service.resolve import Resolve
from originmap.service.rollouts import Rollouts
from originmap.service.sessions import Sessions
from originmap.service.topology import Topologies

BASE = "/originmap/v1"
DISCOVERY = "/v3/discovery"
"""Where Envoy asks, whatever it is told."""


class Services(NamedTuple):
    """What the routes are made of."""

    detector: Detector
    directory: Directory
    topologies: Topologies
    resolve: Resolve
    exports: Exports
    feed: Feed
    digests: Digests
    broadcast: Broadcast
    sessions: Sessions
    followers: Followers
    rollouts: Rollouts
    history: ZoneHistory
    replication: Replication | None
    metrics: Metrics | None
    ready: Callable[[], bool]


def routes(guard: Guard, services: Services) -> dict[str, object]:
    """Each path template with what answers there."""
    directory, feed, followers = services.directory, services.feed, services.followers
    views, zones = Views(guard, directory), ZonesAsked(guard, directory)
    discovery = Discovery(services.exports)
    files = Files(guard, services.sessions)
    past = (guard, directory, services.history)
    return {
        "/healthz": Health(),
        "/readyz": Readiness(guard, services.ready, services.replication),
        **({"/metrics": services.metrics} if services.metrics else {}),
        BASE + "/openapi.json": OpenAPIDocument(),
        BASE + "/topology": TopologyItem(guard, services.topologies),
        BASE + "/latencies": LatencySet(guard, services.topologies),
        BASE + "/zones/{zone}/resolve": ZoneResolve(guard, directory, services.resolve),
        BASE + "/zones/{zone}/history": ZoneChanges(*past),
        BASE + "/zones/{zone}/mappings": ZoneMappings(*past),
        BASE + "/zones/{zone}/rollback": ZoneRollback(*past),
        BASE + "/export/{format}": ExportFile(guard, zones, services.exports, files),
        **{
            f"{DISCOVERY}:{kind.name}": Discover(guard, zones, discovery, kind, files)
            for kind in KINDS
        },
        BASE + "/changes": Changes(
            guard, views, feed, services.broadcast, followers, services.sessions
        ),
        BASE + "/snapshot": Snapshot(guard, views, feed, services.rollouts, files),
        BASE + "/digest": Digest(guard, views, services.digests),
        BASE + "/rollout": RolloutItem(guard, services.rollouts),
        BASE + "/followers": FollowerList(guard, followers),
        BASE + "/followers/{name}": FollowerItem(guard, followers),
        BASE + "/detect": Detect(guard, services.detector, services.topologies.turns),
        BASE + "/whatif": WhatIf(guard, services.resolve, services.topologies.turns),
    }
