"""Everything there is, as of one revision: GET /originmap/v1/snapshot."""

import zlib
from collections.abc import AsyncGenerator, AsyncIterator

from falcon.asgi import Request, Response

from originmap.api.auth import Guard
from originmap.api.native.arguments import arguments, flag
from originmap.api.native.files import Files
from originmap.api.native.views import VIEW_ARGUMENTS, Views
from originmap.api.stream import unread
from originmap.domain.errors import InvalidQuery
from originmap.feed.snapshot_json import write_lines
from originmap.service.chunks import Chunks
from originmap.service.feed import Feed
from originmap.service.rollouts import Rollouts
from originmap.service.view import View

_GZIP = 31  # zlib's wbits for the gzip format, RFC 1952
_PIECE = 1 << 16


class Snapshot:
    """GET /originmap/v1/snapshot"""

    def __init__(
        self, guard: Guard, views: Views, feed: Feed, rollouts: Rollouts, files: Files
    ) -> None:
        self._guard = guard
        self._views = views
        self._feed = feed
        self._rollouts = rollouts
        self._files = files

    async def on_get(self, req: Request, resp: Response) -> None:
        """Lines of JSON, the last one with a checksum; compressed for whoever takes that. With
        `history` also the changes since the revision at which a rollout keeps nodes."""
        caller = self._guard.caller(req, nodes=True)
        values = arguments(req, ("history", *VIEW_ARGUMENTS))
        view, history = self._views.of(req, caller, values), flag(values, "history")
        if history and not view.complete:
            raise InvalidQuery("history goes with whole")
        compressed = "gzip" in (req.get_header("accept-encoding") or "")
        if req.method == "HEAD":
            resp.stream = unread()
        else:
            self._files.send(req, resp, caller, await self._begun(view, history, compressed))
        resp.content_type = "application/x-ndjson"
        resp.set_header("Cache-Control", "no-store")
        resp.set_header("Vary", "Accept-Encoding")
        if compressed:
            resp.set_header("Content-Encoding", "gzip")

    async def _begun(self, view: View, history: bool, compressed: bool) -> Chunks:
        parts = self._feed.snapshot(view, self._rollouts.floor if history else None)
        lines = write_lines(parts)
        first = await anext(lines)  # what is refused is refused before there is a head
        whole = _after(first, lines)
        return Chunks(_gzip(whole) if compressed else whole, whole, lines, parts)


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    yield first
    async for line in rest:
        yield line


async def _gzip(lines: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    # The fastest level: it halves the size, and a better one would take longer than to send it.
    compressor = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    waiting = bytearray()
    async for line in lines:
        waiting += compressor.compress(line)
        if len(waiting) >= _PIECE:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting) + compressor.flush()
