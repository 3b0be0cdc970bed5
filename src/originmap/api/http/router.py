"""Which handler a path and a method belong to.

A template is a path with names in braces for segments that vary: `{zone}` takes any segment,
`{zone_id:hex32}` one of 32 hex digits. A literal segment is preferred to a name. There is one
spelling of each path: an empty segment, or a slash at the end, matches nothing.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from originmap.api.errors import Overrides
from originmap.api.http.request import Request
from originmap.api.http.response import Answer, Headers

MAX_BODY = 1 << 20
"""Bytes of a body, if the route says nothing else; no honest batch is over 64 KiB."""

_MOST_WAYS, _LONGEST_WAY = 10_000, 200
_HEX32 = re.compile("[0-9a-f]{32}").fullmatch

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class Route(NamedTuple):
    """An operation.

    `admit` checks the credential and the rights, and raises. It is called before the handler,
    and once more before a body is waited for. `refusals` replace rows of the table of errors;
    `headers` are on every answer of the path, errors included.
    """

    method: str
    template: str
    admit: Callable[[Request], None]
    handle: Callable[[Request], Answer]
    refusals: Overrides | None = None
    headers: Callable[[Request], Headers] | None = None
    max_body: int = MAX_BODY


class Found(NamedTuple):
    """What is at a path: its template and its routes by method."""

    template: str
    routes: dict[str, Route]

    @property
    def allowed(self) -> str:
        """The methods, as the Allow header lists them."""
        return ", ".join(method for method in METHODS if method in self.routes)


class _Node:
    """The templates that begin alike, by their next segment."""

    __slots__ = ("found", "hex32", "literal", "names", "segment")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.hex32: _Node | None = None
        self.segment: _Node | None = None
        self.found: Found | None = None
        self.names: list[str] = []

    def varying(self, segment: str) -> "_Node | None":
        """The templates that go on with a name which takes this segment."""
        if self.hex32 is not None and _HEX32(segment):
            return self.hex32
        return self.segment if segment else None


_Way = tuple[_Node, tuple[str, ...]]


class Router:
    """Finds routes in the tree of all templates. A literal segment is taken before one of 32 hex
    digits, and that before any other; there is no way back from a segment that was taken."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        self._ways: dict[str, _Way] = {}
        for route in routes:
            self._add(route)

    def find(self, path: str) -> tuple[Found, dict[str, str]] | None:
        """What is at `path`, still percent-encoded, and the arguments in it; None when there is
        nothing."""
        folder, slash, last = path.rpartition("/")
        if not slash or folder[:1] not in ("", "/"):
            return None
        way = self._ways.get(folder) or self._way(folder)
        if way is None:
            return None
        node, values = way
        child = node.literal.get(last)
        if child is None:
            child = node.varying(last)
            values = (*values, last)
        if child is None or child.found is None:
            return None
        return child.found, dict(zip(child.names, values, strict=True))

    def _way(self, folder: str) -> _Way | None:
        """To a folder. It is remembered: most requests are for something in the same few."""
        node, values = self._root, list[str]()
        for segment in folder.split("/")[1:]:
            child = node.literal.get(segment)
            if child is None:
                child = node.varying(segment)
                values.append(segment)
            if child is None:
                return None
            node = child
        way = node, tuple(values)
        if len(folder) <= _LONGEST_WAY:
            if len(self._ways) >= _MOST_WAYS:
                self._ways.clear()
            self._ways[folder] = way
        return way

    def _add(self, route: Route) -> None:
        node, names = self._root, []
        for segment in route.template.split("/")[1:]:
            name, _, kind = segment.strip("{}").partition(":")
            if not segment.startswith("{"):
                node = node.literal.setdefault(segment, _Node())
                continue
            names.append(name)
            if kind == "hex32":
                node.hex32 = node = node.hex32 or _Node()
            else:
                node.segment = node = node.segment or _Node()
        if node.found is None:
            node.found, node.names = Found(route.template, {}), names
        routes = node.found.routes
        if route.method in routes or node.found.template != route.template:
            raise ValueError(f"two routes for {route.method} {route.template}")
        routes[route.method] = route
        if route.method == "GET":
            routes["HEAD"] = route
