"""The rollout: GET and POST /originmap/v1/rollout."""

import msgspec
from falcon.asgi import Request, Response

from originmap.api import envelope
from originmap.api.auth import Guard
from originmap.api.native.arguments import arguments, read_as
from originmap.api.request import info_of
from originmap.domain.access import Group
from originmap.service.rollout_request import RolloutRequest
from originmap.service.rollouts import Rollouts

_REQUEST: msgspec.json.Decoder[RolloutRequest] = msgspec.json.Decoder(RolloutRequest)


class RolloutItem:
    """GET, POST /originmap/v1/rollout"""

    def __init__(self, guard: Guard, rollouts: Rollouts) -> None:
        self._guard = guard
        self._rollouts = rollouts

    async def on_get(self, req: Request, resp: Response) -> None:
        """The last rollout, with its waves and nodes, for operators and nodes; null where there
        was none."""
        caller = self._guard.caller(req, nodes=True)
        self._guard.access.state(caller)
        arguments(req, ())
        status = await self._rollouts.status(for_edge=caller.grants.node is Group.EDGE)
        resp.data = envelope.success(status)

    async def on_post(self, req: Request, resp: Response) -> None:
        """Take a step; the answer is that of GET."""
        self._guard.check(req, self._guard.access.operator)
        asked = await read_as(req, _REQUEST)
        await self._rollouts.take(asked, info_of(req.scope).cause())
        resp.data = envelope.success(await self._rollouts.status())
