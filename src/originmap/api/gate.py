"""The ASGI wrapper that every request passes: gives it an id, hands on the raw path, logs it.

Limits on what arrives (URL, headers, slow clients) are in `api.protocol`, before there is a
request; the body's limit is in `api.body`, where it is read.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from originmap.api.accesslog import AccessLog
from originmap.api.limits import ASKS_FIRST, Limits
from originmap.api.patience import Patience
from originmap.api.request import SCOPE_KEY, Rays, RequestInfo
from originmap.api.stream import CUT_KEY, GONE_KEY

DEFAULTS = Limits()

Message = dict[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class Gate:
    """As an ASGI application around `app`."""

    def __init__(self, app: ASGIApp, rays: Rays, log: AccessLog, limits: Limits = DEFAULTS) -> None:
        self._app = app
        self._limits = limits
        self._rays = rays
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        client = scope["client"]
        info = RequestInfo(self._rays.next(), client[0] if client else "")
        scope[SCOPE_KEY] = info
        # Routes are matched on the path as it was sent: an encoded slash stays in its segment.
        path = scope["path"] = scope["raw_path"].decode("ascii")
        gone = scope.get(GONE_KEY, _never)
        patience = Patience(self._limits, scope.get(CUT_KEY, _never))
        status = 0

        if ASKS_FIRST in scope:
            receive, send = _without_waiting(receive, send)

        async def send_with_ray(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"cf-ray", info.ray.encode()))
                message["headers"] += info.headers
            if info.stream is None:
                await send(message)
                return
            await patience.wait(send(message), len(message.get("body", b"")))
            if gone():
                await info.stream.aclose()  # the rest of it would be made for nobody

        try:
            await self._app(scope, receive, send_with_ray)
        finally:
            if info.stream is not None:
                await info.stream.aclose()
            # Without an answer the client went away before it got one: 499, as nginx logs it.
            self._log.add(info, scope["method"], path, status or 499)


def _never() -> bool:
    return False


def _without_waiting(receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Let the application start before the body is asked for, so that it can refuse it.

    A client that was never asked may not send the body any more, so nothing more can be read on
    its connection: it is closed.
    """
    asked = started = False

    async def receive_when_asked() -> Message:
        nonlocal asked, started
        if not started:
            started = True
            return {"type": "http.request", "body": b"", "more_body": True}
        asked = True
        return await receive()

    async def send_and_close(message: Message) -> None:
        if message["type"] == "http.response.start" and not asked:
            message["headers"].append((b"connection", b"close"))
        await send(message)

    return receive_when_asked, send_and_close
