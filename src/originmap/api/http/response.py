"""What a handler answers: a response, or what one is made of later."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from typing import Any, NamedTuple, Protocol

JSON = "application/json"
Headers = tuple[tuple[str, str], ...]


class Response:
    """Status, headers and body. With a `stream` the body is what that yields, sent in chunks;
    without a `content_type` there is no body at all (304)."""

    __slots__ = ("body", "content_type", "headers", "status", "stream")

    def __init__(
        self,
        body: bytes = b"",
        status: int = 200,
        headers: Headers = (),
        content_type: str = JSON,
        stream: "Body | None" = None,
    ) -> None:
        self.body = body
        self.status = status
        self.headers = headers
        self.content_type = content_type
        self.stream = stream


class Body(Protocol):
    """A body that is sent as it is made; closed at the end, also when it is not read to it."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None:
        """Let go of what is open behind it."""


async def nothing() -> AsyncGenerator[bytes, None]:
    """The body of an answer to HEAD. That there is one keeps its length from being announced as
    0: how long the body is, nobody knows beforehand (RFC 9110 §9.3.2)."""
    return
    yield b""


class Deferred(NamedTuple):
    """A response that `make` makes, or raises why not, once a future is done. It takes no task,
    which for a write would cost more than all else."""

    ready: asyncio.Future[Any]
    make: Callable[[], Response]


Answer = Response | Deferred | Coroutine[Any, Any, Response]
