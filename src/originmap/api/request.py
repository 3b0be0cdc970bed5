"""What is known about a request besides HTTP: its id, who sent it, which zone it is about.

The gate makes one for each request and keeps it in the ASGI scope; whoever learns something
fills it in, and the access log reads it.
"""

import random
import time
from collections.abc import Callable
from typing import Any

from originmap.domain.change import Cause
from originmap.service.chunks import Chunks
from originmap.service.directory import Caller

SCOPE_KEY = "originmap.request"


class RequestInfo:
    """One request: its id, and what was learnt on the way."""

    __slots__ = (
        "client", "credential", "find", "headers", "ray", "right", "route", "started", "stream",
        "zone_id",
    )  # fmt: skip

    def __init__(self, ray: str, client: str) -> None:
        self.ray = ray
        self.client = client
        self.credential = ""
        self.zone_id = ""
        self.route = ""  # the path template that it is for
        self.headers: list[tuple[bytes, bytes]] = []  # to be added to the answer
        self.find: Callable[[], Caller] | None = None  # who sends it, as of the moment
        self.right: Callable[[Caller], object] | None = None  # raises where they may not
        self.stream: Chunks | None = None  # the answer, closed when the request is over
        self.started = time.perf_counter_ns()

    def recheck(self) -> None:
        """Look once more at who sends this, and whether they may. Raises AccessError."""
        if self.find is not None:
            caller = self.find()
            if self.right is not None:
                self.right(caller)

    def cause(self) -> Cause:
        """This request as the cause of a change."""
        return Cause(self.credential, self.client, self.ray)


def info_of(scope: dict[str, Any]) -> RequestInfo:
    """The RequestInfo that the gate put into `scope`."""
    info = scope[SCOPE_KEY]
    assert isinstance(info, RequestInfo)
    return info


class Rays:
    """Makes request ids of the form that `cf-ray` has: 16 hex digits, "-", a colo's code."""

    def __init__(self, colo: str = "XXX") -> None:
        self._suffix = f"-{colo}"
        self._random = random.Random()  # noqa: S311 (an id, not a secret)

    def next(self) -> str:
        """A new id."""
        return f"{self._random.getrandbits(64):016x}{self._suffix}"
