"""The rollout of a server, as commands ask for it."""

from typing import Any

import msgspec

from originmap.client.server import NATIVE, Server
from originmap.service.rollout.rollout_json import RolloutJSON
from originmap.service.rollout.steps import RolloutRequest

_PATH = NATIVE + "/rollout"


class ServerRollouts:
    """Each answer is the rollout, None where there was none. Raises OriginmapError."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def show(self) -> RolloutJSON | None:
        """The last one."""
        return _rollout(self._server.ask("GET", _PATH))

    def take(self, step: RolloutRequest) -> RolloutJSON | None:
        """Take a step."""
        return _rollout(self._server.ask("POST", _PATH, body=step))

    def watch(self) -> RolloutJSON | None:
        """As `show`, of the running server alone, which knows the nodes."""
        return _rollout(self._server.watch(_PATH))


def _rollout(answer: Any) -> RolloutJSON | None:
    return None if answer is None else msgspec.convert(answer, RolloutJSON)
