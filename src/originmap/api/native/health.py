"""Whether the process lives (/healthz) and whether it can be sent requests (/readyz)."""

from collections.abc import Callable

import falcon
from falcon.asgi import Request, Response

from originmap.api import envelope


class Health:
    """GET /healthz: answers as long as the event loop turns."""

    async def on_get(self, req: Request, resp: Response) -> None:
        """Always 200."""
        resp.data = envelope.success({"status": "ok"})


class Readiness:
    """GET /readyz: 200 when writes can be committed, 503 when not."""

    def __init__(self, ready: Callable[[], bool]) -> None:
        self._ready = ready

    async def on_get(self, req: Request, resp: Response) -> None:
        """200 with status "ready", 503 with an error."""
        if self._ready():
            resp.data = envelope.success({"status": "ready"})
            return
        resp.status = falcon.HTTP_503
        resp.data = envelope.failure([envelope.Message(10503, "the store cannot be written")])
