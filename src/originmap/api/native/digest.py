"""What everything there is comes to: GET /originmap/v1/digest."""

from falcon.asgi import Request, Response

from originmap.api import envelope
from originmap.api.auth import Guard
from originmap.api.native.arguments import arguments
from originmap.service.digests import Digests


class Digest:
    """GET /originmap/v1/digest"""

    def __init__(self, guard: Guard, digests: Digests) -> None:
        self._guard = guard
        self._digests = digests

    async def on_get(self, req: Request, resp: Response) -> None:
        """The digest of a recent revision, for a credential that may change everything: it is over
        everything, hashes of secrets included."""
        self._guard.access.operator(self._guard.caller(req))
        arguments(req, ())
        resp.data = envelope.success(await self._digests.recent())
        resp.set_header("Cache-Control", "no-store")
