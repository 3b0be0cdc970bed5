"""Maps a path and a method to a route.

A template is a path with parameters in braces: `{zone}` matches any segment, `{zone_id:hex32}` a
segment of 32 hex digits. A literal segment is preferred to a parameter, and 32 hex digits to any
segment; there is no backtracking. An empty segment or a slash at the end matches nothing.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from originmap.api.errors import Overrides
from originmap.api.http.request import Request
from originmap.api.http.response import Answer, Headers

MAX_BODY = 1 << 20
"""Default limit of a body in bytes; no valid batch has more than 64 KiB."""

_MOST_FOLDERS, _LONGEST_FOLDER = 10_000, 200
_HEX32 = re.compile("[0-9a-f]{32}").fullmatch

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class Route(NamedTuple):
    """An operation.

    `admit` checks the credential and the permissions, and raises. It is called before the body is
    received and again before the handler. `refusals` replace rows of the table of errors;
    `headers` are added to every response of the path, errors included.
    """

    method: str
    template: str
    admit: Callable[[Request], None]
    handle: Callable[[Request], Answer]
    refusals: Overrides | None = None
    headers: Callable[[Request], Headers] | None = None
    max_body: int = MAX_BODY


class RouteNode:
    """A node in the tree of templates: the template and routes of a path, and its children. `name`
    is that of the last segment."""

    __slots__ = ("hex32", "literal", "name", "routes", "segment", "template")

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.template = ""
        self.routes: dict[str, Route] = {}
        self.literal: dict[str, RouteNode] = {}
        self.hex32: RouteNode | None = None
        self.segment: RouteNode | None = None

    @property
    def allowed(self) -> str:
        """The value of the Allow header."""
        return ", ".join(method for method in METHODS if method in self.routes)

    def varying(self, segment: str) -> "RouteNode | None":
        """The child whose parameter matches this segment."""
        if self.hex32 is not None and _HEX32(segment):
            return self.hex32
        return self.segment if segment else None


_Arguments = dict[str, str]
Found = tuple[RouteNode, _Arguments]


class Router:
    """Finds routes in the tree of all templates."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = RouteNode()
        self._folders: dict[str, Found] = {}
        for route in routes:
            self._add(route)

    def find(self, path: str) -> Found | None:
        """The node at `path`, still percent-encoded, and its arguments, which the caller must not
        change; None if there is none."""
        folder, slash, last = path.rpartition("/")
        at = self._folders.get(folder) or self._folder(folder)
        if at is None or not slash:
            return None
        node, arguments = at
        child = node.literal.get(last)
        if child is None:
            child = node.varying(last)
            if child is not None:
                arguments = {**arguments, child.name: last}
        return (child, arguments) if child is not None and child.routes else None

    def _folder(self, folder: str) -> Found | None:
        """The node of a folder; cached, because most requests are in few folders."""
        node, arguments = self._root, _Arguments()
        if folder[:1] not in ("", "/"):
            return None
        for segment in folder.split("/")[1:]:
            child = node.literal.get(segment)
            if child is None:
                child = node.varying(segment)
                if child is None:
                    return None
                arguments[child.name] = segment
            node = child
        if len(folder) <= _LONGEST_FOLDER:
            if len(self._folders) >= _MOST_FOLDERS:
                self._folders.clear()
            self._folders[folder] = node, arguments
        return node, arguments

    def _add(self, route: Route) -> None:
        node = self._root
        for segment in route.template.split("/")[1:]:
            if not segment.startswith("{"):
                node = node.literal.setdefault(segment, RouteNode())
                continue
            name, _, kind = segment.strip("{}").partition(":")
            if kind == "hex32":
                node.hex32 = node = node.hex32 or RouteNode(name)
            else:
                node.segment = node = node.segment or RouteNode(name)
            if node.name != name:
                raise ValueError(f"two routes for {route.method} {route.template}")
        if route.method in node.routes:
            raise ValueError(f"two routes for {route.method} {route.template}")
        node.template, routes = route.template, node.routes
        routes[route.method] = route
        if route.method == "GET":
            routes["HEAD"] = route
