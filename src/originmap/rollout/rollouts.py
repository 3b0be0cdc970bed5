"""The client for a server's rollout."""

import msgspec

from originmap.client.server import NATIVE, APIServer
from originmap.service.rollout.rollout_json import RolloutJSON
from originmap.service.rollout.steps import RolloutRequest

_PATH = NATIVE + "/rollout"


class ServerRollouts:
    """Reads and changes the rollout of a server. Each method returns the rollout, or None if there
    is none, and raises OriginmapError."""

    def __init__(self, server: APIServer) -> None:
        self._server = server

    def show(self) -> RolloutJSON | None:
        """The last rollout."""
        return _rollout(self._server.ask("GET", _PATH))

    def take(self, step: RolloutRequest) -> RolloutJSON | None:
        """Take a step."""
        return _rollout(self._server.ask("POST", _PATH, body=step))

    def watch(self) -> RolloutJSON | None:
        """The last rollout with its nodes, which only a running server knows."""
        return _rollout(self._server.watch(_PATH))


def _rollout(answer: object) -> RolloutJSON | None:
    return None if answer is None else msgspec.convert(answer, RolloutJSON)
