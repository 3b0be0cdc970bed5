"""The part of the feed that a request gets."""

from originmap.api.guard import Guard
from originmap.api.http.request import Request
from originmap.api.native.arguments import flag
from originmap.domain.access.permissions import READ_STATE, Group
from originmap.domain.errors import InvalidQuery
from originmap.service.access.directory import Caller, Directory
from originmap.service.feed.view import View

VIEW_ARGUMENTS = ("zone", "whole")


class Views:
    """Creates views according to the permissions of the caller."""

    def __init__(self, guard: Guard, directory: Directory) -> None:
        self._access = guard.access
        self._directory = directory

    def state(self, caller: Caller) -> View:
        """The view for comparing the caller's replica with this server. Raises Forbidden."""
        self._access.state(caller)
        edge = caller.grants.node is Group.EDGE
        return View(caller.id, caller.grants, whole=not edge, edge=edge)

    def of(self, request: Request, caller: Caller, values: dict[str, list[str]]) -> View:
        """The view for the arguments `zone` (ID or name) and `whole`.

        A token of an edge node gets the edge form, with or without `whole`. Raises Forbidden for a
        zone that the caller cannot read, and for `whole`, which contains hashes of secrets, unless
        the caller has permission for them.
        """
        whole, zone = flag(values, "whole"), values.get("zone", [""])[-1]
        if whole and zone:
            raise InvalidQuery("zone cannot be combined with whole")
        if caller.grants.node is Group.EDGE and not zone:
            return View(caller.id, caller.grants, edge=True)
        if whole:
            self._access.whole(caller)
            return View(caller.id, caller.grants, whole=True)
        if not zone:
            return View(caller.id, caller.grants)
        found = self._access.zone(caller, READ_STATE, self._directory.zone_id(zone))
        request.zone_id = found.id
        return View(caller.id, caller.grants, found.id)
