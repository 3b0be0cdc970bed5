"""What changed: GET /originmap/v1/changes, at once, by waiting, or as a stream."""

import asyncio
import contextlib
from collections.abc import Iterator
from functools import partial

from falcon.asgi import Request, Response

from originmap.api import envelope
from originmap.api.auth import Guard
from originmap.api.native.arguments import arguments
from originmap.api.native.delta_json import large_delta_json
from originmap.api.native.events import MEDIA_TYPE, EventWatcher, watch
from originmap.api.native.points import limit_asked, point_asked, wait_asked
from originmap.api.native.views import VIEW_ARGUMENTS, Views
from originmap.api.request import info_of
from originmap.api.stream import LEAVING_KEY, stream_of, unread
from originmap.domain.access_errors import UnknownToken
from originmap.service.broadcast import Broadcast
from originmap.service.directory import Caller
from originmap.service.feed import Feed, Point
from originmap.service.followers import Followers
from originmap.service.sessions import Sessions
from originmap.service.view import View

_USUAL = 1_000
"""Changes that are asked for where the reader does not say how many."""
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

    async def on_get(self, req: Request, resp: Response) -> None:
        """Changes after `since`; as events for whoever accepts them."""
        caller = self._guard.caller(req, nodes=True)
        values = arguments(req, _ARGUMENTS)
        view = self._views.of(req, caller, values)
        point = point_asked(req, values, self._feed.now_for(view))
        if "follower" in values:
            client = info_of(req.scope).client
            self._followers.heard(values["follower"][-1], caller.id, client, point.revision)
        resp.set_header("Cache-Control", "no-store")
        if MEDIA_TYPE in (req.get_header("accept") or ""):
            self._stream(req, resp, caller, view, point)
            return
        limit, seconds = limit_asked(values), wait_asked(values)
        self._guard.charge(req, limit if limit > _USUAL else 0)
        with self._until_done(req, caller) as done:
            delta = await self._feed.wait(point, view, limit, seconds, done)
        if not self._guard.access.still(caller):
            raise UnknownToken  # it was revoked while it waited
        resp.data = envelope.success(await large_delta_json(delta, self._feed.turns))

    @contextlib.contextmanager
    def _until_done(self, req: Request, caller: Caller) -> Iterator[asyncio.Future[None]]:
        """Done as soon as there is no reason to wait: the client sends nothing more, or its
        credential is revoked or expires."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end(*_: object) -> None:
            if not done.done():
                done.set_result(None)

        session = self._sessions.open(caller, end)
        leaving = req.scope.get(LEAVING_KEY, lambda: done)()
        leaving.add_done_callback(end)
        try:
            yield done
        finally:
            leaving.remove_done_callback(end)
            session.close()

    def _stream(
        self, req: Request, resp: Response, caller: Caller, view: View, point: Point
    ) -> None:
        resp.content_type = MEDIA_TYPE
        resp.set_header("X-Accel-Buffering", "no")  # nginx would hold events back
        if req.method == "HEAD":
            resp.stream = unread()
            return
        allowed = partial(self._guard.access.still, caller)
        watcher = EventWatcher(stream_of(req.scope), view, point, allowed)
        resp.stream = watch(self._feed, self._broadcast, watcher, self._sessions, caller)
