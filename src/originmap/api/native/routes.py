"""The table of our own routes."""

from collections.abc import Callable

from originmap.api.native.health import Health, Readiness
from originmap.api.native.openapi import OpenAPIDocument

BASE = "/originmap/v1"


def routes(ready: Callable[[], bool]) -> dict[str, object]:
    """Each path template with what answers there."""
    return {
        "/healthz": Health(),
        "/readyz": Readiness(ready),
        BASE + "/openapi.json": OpenAPIDocument(),
    }
