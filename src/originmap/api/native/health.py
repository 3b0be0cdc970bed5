"""Whether the process lives (/healthz) and whether it can be sent requests (/readyz)."""

from collections.abc import Callable
from typing import Any

import falcon
from falcon.asgi import Request, Response

from originmap.api import envelope
from originmap.service.replication import Replication


class Health:
    """GET /healthz: answers as long as the event loop turns."""

    async def on_get(self, req: Request, resp: Response) -> None:
        """Always 200."""
        resp.data = envelope.success({"status": "ok"})


class Readiness:
    """GET /readyz: 200 when writes can be committed, 503 when not. Of a replica, 200 when it
    has something to serve, and how old that is."""

    def __init__(self, ready: Callable[[], bool], replication: Replication | None) -> None:
        self._ready = ready
        self._replication = replication

    async def on_get(self, req: Request, resp: Response) -> None:
        """200 with status "ready", 503 with an error."""
        copy = self._replication
        if copy is not None and not copy.loaded:
            resp.status = falcon.HTTP_503
            why = f"no copy of {copy.primary} yet: {copy.error or 'it is on its way'}"
            resp.data = envelope.failure([envelope.Message(10503, why)])
            return
        if self._ready():
            status: dict[str, Any] = {"status": "ready"}
            if copy is not None:
                status["replica"] = {
                    "primary": copy.primary,
                    "connected": copy.connected,
                    "age_seconds": round(copy.age, 3),
                    "error": copy.error,
                }
            resp.data = envelope.success(status)
            return
        resp.status = falcon.HTTP_503
        resp.data = envelope.failure([envelope.Message(10503, "the store cannot be written")])
