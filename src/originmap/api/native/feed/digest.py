"""What everything there is comes to: GET /originmap/v1/digest."""

from originmap.api import envelope
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import arguments
from originmap.api.native.feed.views import Views
from originmap.service.feed.digests import Digests


class Digest:
    """GET /originmap/v1/digest"""

    def __init__(self, views: Views, digests: Digests) -> None:
        self._views = views
        self._digests = digests

    async def get_digest(self, request: Request) -> Response:
        """The digest of a recent revision. It is over everything, hashes of secrets included, for
        operators and replicas, and for an edge node over what that may have."""
        arguments(request, ())
        view = self._views.state(request.caller)
        digest = envelope.success(await self._digests.recent(view))
        return Response(digest, headers=(("cache-control", "no-store"),))
