"""Liveness (/healthz) and readiness (/readyz) of the server."""

import math
from collections.abc import Callable
from typing import Any

from originmap.api import envelope
from originmap.api.guard import Guard
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.domain.access.errors import AccessError
from originmap.domain.errors import RateLimited
from originmap.service.feed.replication import Replication
from originmap.service.vitals import StandbyNow

_NO_COPY = "This replica has not got its first copy yet."


class HealthRoutes:
    """GET /healthz responds while the event loop runs. GET /readyz is 200 if writes can be
    committed, else 503. On a replica it is 200 if there is data to serve, with its age. Only
    operators get the primary's URL, and the reason of a failure, which often contains it. A server
    that reads from a standby of its database reports that too, and is ready without it."""

    def __init__(
        self,
        guard: Guard,
        ready: Callable[[], bool],
        replication: Replication | None,
        standby: Callable[[], StandbyNow | None],
    ) -> None:
        self._guard = guard
        self._ready = ready
        self._replication = replication
        self._standby = standby

    def get_health(self, request: Request) -> Response:
        """Always 200."""
        return Response(envelope.success({"status": "ok"}))

    def get_readiness(self, request: Request) -> Response:
        """200 with status "ready", 503 with an error."""
        copy = self._replication
        if copy is not None and not copy.loaded:
            return _not_ready(_NO_COPY)
        if not self._ready():
            return _not_ready("the store cannot be written")
        status: dict[str, object] = {"status": "ready"}
        if copy is not None:
            status["replica"] = self._replica_json(copy, request)
        standby = self._standby()
        if standby is not None:
            status["standby"] = {"serves": standby.serves, "lag_seconds": _finite(standby.lag)}
        return Response(envelope.success(status))

    def _replica_json(self, copy: Replication, request: Request) -> dict[str, Any]:
        found = {"connected": copy.connected, "age_seconds": _finite(copy.age)}
        if self._is_operator(request):
            return {"primary": copy.primary, **found, "error": copy.error}
        return found

    def _is_operator(self, request: Request) -> bool:
        if not any(request.header(name) for name in (b"authorization", b"x-auth-key")):
            return False
        try:
            self._guard.operator(request)
        except (AccessError, RateLimited):
            return False
        return True


def _finite(seconds: float) -> float | None:
    return round(seconds, 3) if math.isfinite(seconds) else None


def _not_ready(why: str) -> Response:
    return Response(envelope.failure([envelope.Message(10503, why)]), 503)
