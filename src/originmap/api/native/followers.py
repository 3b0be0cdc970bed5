"""Who follows: GET /originmap/v1/followers, PUT /originmap/v1/followers/{name}."""

from typing import Annotated, Any

import msgspec
from falcon.asgi import Request, Response

from originmap.api import envelope
from originmap.api.auth import Guard
from originmap.api.native.arguments import arguments, read_as
from originmap.api.request import info_of
from originmap.api.timestamps import timestamp
from originmap.domain.change import LAST_REVISION
from originmap.service.followers import MAX_PROBLEM, Follower, Followers, Report

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

    def __init__(self, guard: Guard, followers: Followers) -> None:
        self._guard = guard
        self._followers = followers

    async def on_get(self, req: Request, resp: Response) -> None:
        """Every follower, for whoever may change everything."""
        self._guard.access.operator(self._guard.caller(req))
        arguments(req, ())
        resp.data = envelope.success([self._json(f) for f in self._followers.all()])

    def _json(self, follower: Follower) -> dict[str, Any]:
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

    async def on_put(self, req: Request, resp: Response, name: str) -> None:
        """A follower says which revision it has, what it does with it, and what keeps it. Only
        nodes and operators can report what rollouts wait for."""
        caller = self._guard.caller(req, nodes=True)
        report = await read_as(req, _REPORT)
        feeds_a_cache = bool(report.colo) or report.applied is not None
        sender = self._guard.sender(req)
        self._guard.access.report(sender, report.colo, feeds_a_cache=feeds_a_cache)
        client = info_of(req.scope).client
        self._followers.reported(name, caller.id, client, Report(*msgspec.structs.astuple(report)))
        resp.data = envelope.success({"name": name, "revision": report.revision})
