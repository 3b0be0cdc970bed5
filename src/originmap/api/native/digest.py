"""What everything there is comes to: GET /originmap/v1/digest."""

from falcon.asgi import Request, Response

from originmap.api import envelope
from originmap.api.auth import Guard
from originmap.api.native.arguments import arguments
from originmap.api.native.views import Views
from originmap.service.digests import Digests


class Digest:
    """GET /originmap/v1/digest"""

    def __init__(self, guard: Guard, views: Views, digests: Digests) -> None:
        self._guard = guard
        self._views = views
        self._digests = digests

    async def on_get(self, req: Request, resp: Response) -> None:
        """The digest of a recent revision. It is over everything, hashes of secrets included, for
        operators and replicas, and for an edge node over what that may have."""
        view = self._views.state(self._guard.caller(req, nodes=True))
        arguments(req, ())
        resp.data = envelope.success(await self._digests.recent(view))
        resp.set_header("Cache-Control", "no-store")
