"""The table of our own routes."""

from collections.abc import Callable
from dataclasses import dataclass

from originmap.api.auth import Guard
from originmap.api.native.detect import Detect
from originmap.api.native.health import Health, Readiness
from originmap.api.native.openapi import OpenAPIDocument
from originmap.api.native.resolve import WhatIf, ZoneResolve
from originmap.api.native.topology import LatencySet, TopologyItem
from originmap.service.detector import Detector
from originmap.service.directory import Directory
from originmap.service.resolve import Resolve
from originmap.service.topology import Topologies

BASE = "/originmap/v1"


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes are made of."""

    detector: Detector
    directory: Directory
    topologies: Topologies
    resolve: Resolve
    ready: Callable[[], bool]


def routes(guard: Guard, services: Services) -> dict[str, object]:
    """Each path template with what answers there."""
    return {
        "/healthz": Health(),
        "/readyz": Readiness(services.ready),
        BASE + "/openapi.json": OpenAPIDocument(),
        BASE + "/topology": TopologyItem(guard, services.topologies),
        BASE + "/latencies": LatencySet(guard, services.topologies),
        BASE + "/zones/{zone}/resolve": ZoneResolve(guard, services.directory, services.resolve),
        BASE + "/detect": Detect(guard, services.detector),
        BASE + "/whatif": WhatIf(guard, services.resolve),
    }
