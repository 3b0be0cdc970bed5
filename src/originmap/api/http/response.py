"""What a handler answers: a response, or an awaitable of one."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator
from typing import Any, Protocol

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


class Deferred:
    """A response that is made once a future is done, without a task of its own: that is what a
    write costs least with."""

    __slots__ = ("make", "ready")

    def __init__(self, ready: asyncio.Future[Any], make: Callable[[], Response]) -> None:
        self.ready = ready
        self.make = make

    def __await__(self) -> Generator[Any, None, Response]:
        with contextlib.suppress(Exception):  # `make` answers for it
            yield from self.ready.__await__()
        return self.make()


Answer = Response | Deferred | Coroutine[Any, Any, Response]
