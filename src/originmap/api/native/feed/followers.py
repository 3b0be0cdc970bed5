"""The followers: GET /originmap/v1/followers, PUT /originmap/v1/followers/{name}."""

from typing import Annotated

import msgspec

from originmap.api import envelope
from originmap.api.guard import Guard
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import arguments, read_as
from originmap.api.timestamps import timestamp
from originmap.domain.history.change import LAST_REVISION
from originmap.service.feed.followers import MAX_PROBLEM, Followers, FollowerStatus, Report
from originmap.service.turns import Turns

_Revision = Annotated[int, msgspec.Meta(ge=0, le=LAST_REVISION)]


class _Report(msgspec.Struct, forbid_unknown_fields=True):
    revision: _Revision
    serves: Annotated[str, msgspec.Meta(max_length=200)] = ""
    applied: _Revision | None = None
    problem: Annotated[str, msgspec.Meta(max_length=MAX_PROBLEM)] = ""
    colo: Annotated[str, msgspec.Meta(pattern=r"\A([A-Z0-9]{2,10})?\Z")] = ""


_REPORT = msgspec.json.Decoder(_Report)


class FollowerList:
    """GET /originmap/v1/followers"""

    def __init__(self, followers: Followers, turns: Turns) -> None:
        self._followers = followers
        self._turns = turns

    async def list_followers(self, request: Request) -> Response:
        """Every follower, for operators."""
        arguments(request, ())
        found = list[msgspec.Raw]()
        async for piece in self._turns.pieces(self._followers.all()):
            found += [envelope.raw(self._json(follower)) for follower in piece]
        return Response(envelope.success(found))

    def _json(self, follower: FollowerStatus) -> dict[str, object]:
        return {
            "name": follower.name,
            "credential": follower.credential,
            "client": follower.client,
            "revision": follower.revision,
            "lag": self._followers.lag(follower),
            "last_contact": timestamp(follower.last_contact),
            "serves": follower.serves,
            "applied": follower.applied,
            "problem": follower.problem,
            "colo": follower.colo,
        }


class FollowerItem:
    """PUT /originmap/v1/followers/{name}"""

    def __init__(self, guard: Guard, followers: Followers) -> None:
        self._guard = guard
        self._followers = followers

    async def report(self, request: Request) -> Response:
        """Store a follower's report: its revision, what it serves, and its problem. Only nodes and
        operators can report the state that rollouts wait for."""
        name, caller = request.arguments["name"], request.caller
        report = read_as(request, _REPORT)
        feeds_a_cache = bool(report.colo) or report.applied is not None
        self._guard.access.report(caller, report.colo, feeds_a_cache=feeds_a_cache)
        client = request.client
        self._followers.reported(name, caller.id, client, Report(*msgspec.structs.astuple(report)))
        return Response(envelope.success({"name": name, "revision": report.revision}))
