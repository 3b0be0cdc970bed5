"""Promotes a replica to primary: POST /originmap/v1/promote."""

from originmap.api import envelope
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import arguments
from originmap.service.feed.promotion import Promotion


class Promote:
    """POST /originmap/v1/promote"""

    def __init__(self, promotion: Promotion) -> None:
        self._promotion = promotion

    async def promote(self, request: Request) -> Response:
        """Promote the replica and return its position; a primary is left as it is."""
        arguments(request, ())
        done = await self._promotion.promote()
        answer = {"promoted": done.promoted, "epoch": done.epoch, "revision": done.revision}
        return Response(envelope.success(answer))
