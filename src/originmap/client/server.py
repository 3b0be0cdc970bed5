"""A server as its operator asks it: by requests of the API."""

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
    """The server refused a request, or cannot be asked."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.hint = hint


class Server(Protocol):
    """Answers requests of the API. Everything raises OriginmapError."""

    def ask(self, method: str, path: str, query: Query = (), body: Any = None) -> Any:
        """The `result` of the answer, as JSON has it."""

    def stream(self, path: str, query: Query, sink: Sink) -> None:
        """Have `sink` called with each chunk of a file."""

    def watch(self, path: str) -> Any:
        """As `ask`, of the running server alone, which knows its nodes. Waits for one that is
        being started again."""


def of_zone(zone: str, what: str) -> str:
    """A path of ours about a zone, by its id or name."""
    return f"{ZONES}{quote(zone, safe='')}/{what}"


def target(path: str, query: Query) -> str:
    """A path with its query."""
    given = urlencode(list(query))
    return f"{path}?{given}" if given else path


def pages(server: Server, path: str, query: Query = ()) -> Iterator[dict[str, Any]]:
    """All entries of a list that comes in pages."""
    number, found = 1, list[dict[str, Any]]()
    while number == 1 or len(found) == _PER_PAGE:
        page = [("page", str(number)), ("per_page", str(_PER_PAGE))]
        found = server.ask("GET", path, [*query, *page])
        yield from found
        number += 1
