"""The whole state at one revision: GET /originmap/v1/snapshot."""

import zlib
from collections.abc import AsyncGenerator, AsyncIterator

from originmap.api.http.request import Request
from originmap.api.http.response import Body, Headers, Response
from originmap.api.native.arguments import arguments, flag
from originmap.api.native.feed.files import Files, nothing
from originmap.api.native.feed.views import VIEW_ARGUMENTS, Views
from originmap.domain.errors import InvalidQuery
from originmap.feed.snapshot_json import write_lines
from originmap.service.chunks import Chunks
from originmap.service.feed.feed import Feed
from originmap.service.feed.view import View
from originmap.service.rollout.rollouts import Rollouts

_GZIP = 31  # zlib's wbits for the gzip format, RFC 1952
_PIECE = 1 << 16


class SnapshotRoute:
    """GET /originmap/v1/snapshot"""

    def __init__(self, views: Views, feed: Feed, rollouts: Rollouts, files: Files) -> None:
        self._views = views
        self._feed = feed
        self._rollouts = rollouts
        self._files = files

    async def get_snapshot(self, request: Request) -> Response:
        """Lines of JSON, the last one with a checksum; compressed if the client accepts gzip. With
        `history`, also the changes since the revision that a rollout holds nodes at."""
        values = arguments(request, ("history", *VIEW_ARGUMENTS))
        view, history = self._views.of(request, request.caller, values), flag(values, "history")
        if history and not view.complete:
            raise InvalidQuery("history requires whole")
        compressed = "gzip" in (request.header(b"accept-encoding") or "")
        headers: Headers = (("cache-control", "no-store"), ("vary", "Accept-Encoding"))
        if compressed:
            headers += (("content-encoding", "gzip"),)
        body: Body = nothing()
        if request.method != "HEAD":
            body = await self._files.body(request, await self._begun(view, history, compressed))
        return Response(headers=headers, content_type="application/x-ndjson", stream=body)

    async def _begun(self, view: View, history: bool, compressed: bool) -> Chunks:
        parts = self._feed.snapshot(view, self._rollouts.floor if history else None)
        lines = write_lines(parts)
        first = await anext(lines)  # raise errors before the head is sent
        whole = _after(first, lines)
        return Chunks(_gzip(whole) if compressed else whole, whole, lines, parts)


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    yield first
    async for line in rest:
        yield line


async def _gzip(lines: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    # The fastest level halves the size; a higher one would take longer than sending the data.
    compressor = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    waiting = bytearray()
    async for line in lines:
        waiting += compressor.compress(line)
        if len(waiting) >= _PIECE:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting) + compressor.flush()
