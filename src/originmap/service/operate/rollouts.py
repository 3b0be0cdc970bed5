"""The rollout, for the operator."""

import msgspec

from originmap.service.operate.parts import OPERATOR, Handlers
from originmap.service.rollout_json import RolloutJSON
from originmap.service.rollout_request import RolloutRequest
from originmap.service.rollouts import Rollouts


class ShowRollout(msgspec.Struct, frozen=True, tag=True):
    """The last rollout, and how far the nodes are; no row where there was none."""


class TakeStep(msgspec.Struct, frozen=True, tag=True):
    """Take a step of the rollout; what it came to is as for ShowRollout."""

    asked: RolloutRequest


class OperateRollouts:
    """As `parts.Subject`."""

    def __init__(self, rollouts: Rollouts) -> None:
        self._rollouts = rollouts

    @property
    def handlers(self) -> Handlers:
        """As `Subject.handlers`."""
        return {ShowRollout: self._show, TakeStep: self._take}

    async def _show(self, command: ShowRollout) -> list[RolloutJSON]:
        shown = await self._rollouts.status()
        return [] if shown is None else [shown]

    async def _take(self, command: TakeStep) -> list[RolloutJSON]:
        await self._rollouts.take(command.asked, OPERATOR)
        return await self._show(ShowRollout())
