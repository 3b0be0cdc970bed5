"""The short way: requests that are answered past the framework, on the wire.

What answers them is told to the protocol (`api.protocol`) as a `Quick`.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from originmap.api.request import RequestInfo

MAX_BODY = 4096
"""Bytes of a body that a request may have to go the short way."""

Headers = Sequence[tuple[bytes, bytes]]


class QuickAnswer(NamedTuple):
    """Status, headers each with its end of line, and the JSON body."""

    status: int
    headers: bytes
    body: bytes


def lines(headers: Iterable[tuple[str, str]]) -> bytes:
    """Headers, each with its end of line."""
    return "".join([f"{name}: {value}\r\n" for name, value in headers]).encode()


class Later(NamedTuple):
    """An answer that must be waited for: until `ready` is done, then `answer` makes it."""

    ready: asyncio.Future[Any]
    answer: Callable[[], QuickAnswer]


class Quick(Protocol):
    """Answers what it can, at once or later; None where the long way must be gone."""

    def get(self, url: bytes, headers: Headers, info: RequestInfo) -> QuickAnswer | Later | None:
        """The answer to GET `url`."""

    def put(
        self, url: bytes, headers: Headers, body: bytes, info: RequestInfo
    ) -> QuickAnswer | Later | None:
        """The answer to PUT `url`."""


class InFlight:
    """Stands where uvicorn expects the cycle of a request, for one that is being answered past
    it: what comes behind it on its connection waits."""

    response_started = response_complete = disconnected = more_body = False
    keep_alive = True
    body = b""

    @property
    def message_event(self) -> "InFlight":
        """What is to be told when the client is gone."""
        return self

    def set(self) -> None:
        """The client is gone; the answer is made all the same."""
