"""The port through which commands send API requests to a server."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from originmap.domain.errors import OriginmapError

NATIVE = "/originmap/v1"
CLOUDFLARE = "/client/v4"
ZONES = NATIVE + "/zones/"
_PER_PAGE = 50

Query = Iterable[tuple[str, str]]
Sink = Callable[[bytes], object]


class ServerRefused(OriginmapError):
    """The server rejected a request, or cannot be reached."""

    page = "cli.md#choosing-a-server"

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.hint = hint


class APIServer(Protocol):
    """Answers API requests. Every method raises OriginmapError."""

    def ask(self, method: str, path: str, query: Query = (), body: Any = None) -> Any:
        """Send a request; the `result` member of the response, as decoded JSON."""

    def stream(self, path: str, query: Query, sink: Sink) -> None:
        """GET a file; `sink` is called with each chunk."""

    def watch(self, path: str) -> Any:
        """GET from the running server only, which has the state of its nodes. Waits for a server
        that restarts."""


def of_zone(zone: str, what: str) -> str:
    """A native path of a zone, by its ID or name."""
    return f"{ZONES}{quote(zone, safe='')}/{what}"


def target(path: str, query: Query) -> str:
    """A path with its query."""
    encoded = urlencode(list(query))
    return f"{path}?{encoded}" if encoded else path


def pages(server: APIServer, path: str, query: Query = ()) -> Iterator[dict[str, Any]]:
    """All entries of a paginated list."""
    number, entries = 1, list[dict[str, Any]]()
    while number == 1 or len(entries) == _PER_PAGE:
        page = [("page", str(number)), ("per_page", str(_PER_PAGE))]
        entries = server.ask("GET", path, [*query, *page])
        yield from entries
        number += 1
