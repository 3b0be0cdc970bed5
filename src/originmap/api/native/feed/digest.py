"""The digest of the whole state: GET /originmap/v1/digest."""

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
        """The digest of a recent revision. For operators and replicas it covers everything,
        including hashes of secrets; for an edge node, the edge form of the feed."""
        arguments(request, ())
        view = self._views.state(request.caller)
        digest = envelope.success(await self._digests.recent(view))
        return Response(digest, headers=(("cache-control", "no-store"),))
