"""The change feed: GET /originmap/v1/changes, at once, as a long poll, or as a stream."""

import asyncio
import contextlib
from collections.abc import Iterator
from functools import partial

from originmap.api import envelope
from originmap.api.guard import Guard
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import arguments
from originmap.api.native.feed.delta_json import large_delta_json
from originmap.api.native.feed.events import MEDIA_TYPE, EventWatcher, watch
from originmap.api.native.feed.files import nothing
from originmap.api.native.feed.positions import limit_asked, point_asked, wait_asked
from originmap.api.native.feed.views import VIEW_ARGUMENTS, Views
from originmap.domain.access.errors import UnknownToken
from originmap.service.access.sessions import Sessions
from originmap.service.feed.broadcast import Broadcast
from originmap.service.feed.feed import Feed, Point
from originmap.service.feed.followers import Followers
from originmap.service.feed.view import View

_USUAL = 1_000
"""Default of the argument `limit`."""
_ARGUMENTS = ("since", "wait", "limit", "follower", *VIEW_ARGUMENTS)


class Changes:
    """GET /originmap/v1/changes"""

    def __init__(
        self,
        guard: Guard,
        views: Views,
        feed: Feed,
        broadcast: Broadcast,
        followers: Followers,
        sessions: Sessions,
    ) -> None:
        self._guard = guard
        self._views = views
        self._feed = feed
        self._broadcast = broadcast
        self._followers = followers
        self._sessions = sessions

    async def list_changes(self, request: Request) -> Response:
        """Changes after `since`; as server-sent events for clients that accept them."""
        values = arguments(request, _ARGUMENTS)
        caller = request.caller
        view = self._views.of(request, caller, values)
        point = point_asked(request, values, self._feed.now_for(view))
        if "follower" in values:
            client = request.client
            self._followers.heard(values["follower"][-1], caller.id, client, point.revision)
        request.answer_headers += (("cache-control", "no-store"),)
        if MEDIA_TYPE in (request.header(b"accept") or ""):
            return self._stream(request, view, point)
        limit, seconds = limit_asked(values), wait_asked(values)
        self._guard.charge(request, limit if limit > _USUAL else 0)
        with self._until_done(request) as done:
            delta = await self._feed.wait(point, view, limit, seconds, done)
        if not self._guard.access.still(caller):
            raise UnknownToken  # it was revoked during the wait
        return Response(envelope.success(await large_delta_json(delta, self._feed.turns)))

    @contextlib.contextmanager
    def _until_done(self, request: Request) -> Iterator[asyncio.Future[None]]:
        """A future that ends the long poll: it is done when the client closes its side, or its
        credential is revoked or expires."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end(*_: object) -> None:
            if not done.done():
                done.set_result(None)

        session = self._sessions.open(request.caller, end)
        leaving = request.link.leaving()
        leaving.add_done_callback(end)
        try:
            yield done
        finally:
            leaving.remove_done_callback(end)
            session.close()

    def _stream(self, request: Request, view: View, point: Point) -> Response:
        headers = (("x-accel-buffering", "no"),)  # otherwise nginx buffers events
        if request.method == "HEAD":
            return Response(headers=headers, content_type=MEDIA_TYPE, stream=nothing())
        allowed = partial(self._guard.access.still, request.caller)
        watcher = EventWatcher(request.link.stream(), view, point, allowed)
        body = watch(self._feed, self._broadcast, watcher, self._sessions, request.caller)
        return Response(headers=headers, content_type=MEDIA_TYPE, stream=body)
