"""Whether the process lives (/healthz) and whether it can be sent requests (/readyz)."""

import math
from collections.abc import Callable
from typing import Any

import falcon
from falcon.asgi import Request, Response

from originmap.api import envelope
from originmap.api.auth import Guard
from originmap.domain.access_errors import AccessError
from originmap.domain.errors import RateLimited
from originmap.service.replication import Replication

_NO_COPY = "This replica has not got its first copy yet."


class Health:
    """GET /healthz: answers as long as the event loop turns."""

    async def on_get(self, req: Request, resp: Response) -> None:
        """Always 200."""
        resp.data = envelope.success({"status": "ok"})


class Readiness:
    """GET /readyz: 200 when writes can be committed, 503 when not. Of a replica, 200 when it
    has something to serve, and how old that is. The primary's address, and why it cannot be
    followed, which often names it too, are for callers that may change everything."""

    def __init__(
        self, guard: Guard, ready: Callable[[], bool], replication: Replication | None
    ) -> None:
        self._guard = guard
        self._ready = ready
        self._replication = replication

    async def on_get(self, req: Request, resp: Response) -> None:
        """200 with status "ready", 503 with an error."""
        copy = self._replication
        if copy is not None and not copy.loaded:
            resp.status = falcon.HTTP_503
            resp.data = envelope.failure([envelope.Message(10503, _NO_COPY)])
            return
        if self._ready():
            status: dict[str, Any] = {"status": "ready"}
            if copy is not None:
                status["replica"] = self._replica_json(copy, req)
            resp.data = envelope.success(status)
            return
        resp.status = falcon.HTTP_503
        resp.data = envelope.failure([envelope.Message(10503, "the store cannot be written")])

    def _replica_json(self, copy: Replication, req: Request) -> dict[str, Any]:
        age = round(copy.age, 3) if math.isfinite(copy.age) else None
        found = {"connected": copy.connected, "age_seconds": age}
        if self._is_operator(req):
            return {"primary": copy.primary, **found, "error": copy.error}
        return found

    def _is_operator(self, req: Request) -> bool:
        if not any(req.get_header(name) for name in ("authorization", "x-auth-key")):
            return False
        try:
            self._guard.access.operator(self._guard.caller(req))
        except (AccessError, RateLimited):
            return False
        return True
