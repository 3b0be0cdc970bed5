"""The results of handlers: a response, or a deferred response."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, NamedTuple, Protocol

JSON = "application/json"
Headers = tuple[tuple[str, str], ...]


class Response:
    """Status, headers and body. With a `stream`, the body is its items, sent in chunks; without a
    `content_type` there is no body (304)."""

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
    """A streamed body; always closed, also if it is not read to the end."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None:
        """Release the resources of the body."""


class Deferred(NamedTuple):
    """A response that `make` creates, or an error that it raises, once a future is done. It needs
    no task, which would be the largest cost of a write."""

    ready: asyncio.Future[Any]
    make: Callable[[], Response]


Answer = Response | Deferred | Coroutine[Any, Any, Response]
