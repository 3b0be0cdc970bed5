"""The rollout: GET and POST /originmap/v1/rollout."""

import msgspec

from originmap.api import envelope
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import arguments, read_as
from originmap.domain.access.permissions import Group
from originmap.service.rollout.rollouts import Rollouts
from originmap.service.rollout.steps import RolloutRequest

_REQUEST: msgspec.json.Decoder[RolloutRequest] = msgspec.json.Decoder(RolloutRequest)


class RolloutItem:
    """GET, POST /originmap/v1/rollout"""

    def __init__(self, rollouts: Rollouts) -> None:
        self._rollouts = rollouts

    async def get_rollout(self, request: Request) -> Response:
        """The last rollout with its stages and nodes, for operators and nodes; null if there was
        none."""
        arguments(request, ())
        for_edge = request.caller.grants.node is Group.EDGE
        return Response(envelope.success(await self._rollouts.status(for_edge=for_edge)))

    async def take_step(self, request: Request) -> Response:
        """Take a step; the response is that of GET."""
        body = read_as(request, _REQUEST)
        await self._rollouts.take(body, request.cause())
        return Response(envelope.success(await self._rollouts.status()))
