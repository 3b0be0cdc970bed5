"""The anchor for GET: the least an ASGI app on uvicorn can do for the same answer.

It checks the bearer token as Originmap does (SHA-256, looked up in a dict) and sends prepared
bytes. It has no router, framework or store; the ratio shows what these cost.
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from bench.anchors import anchor, answers
from bench.harness.dataset import TOKEN

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class BareApp:
    """GET one mapping and /healthz."""

    def __init__(self) -> None:
        """Prepare every response."""
        self._answers = answers.by_path()
        self._tokens = {hashlib.sha256(TOKEN.encode()).digest(): "bench"}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope["path"]
        if path == "/healthz":
            status, body = 200, b"{}"
        elif not self._authorized(scope["headers"]):
            status, body = 401, answers.UNAUTHORIZED
        elif (found := self._answers.get(path)) is not None:
            status, body = 200, found
        else:
            status, body = 404, answers.NOT_FOUND
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _authorized(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        for name, value in headers:
            if name == b"authorization":
                scheme, _, secret = value.partition(b" ")
                return scheme == b"Bearer" and hashlib.sha256(secret).digest() in self._tokens
        return False


if __name__ == "__main__":
    _, port = anchor.arguments(__doc__)
    anchor.serve(BareApp(), port)
