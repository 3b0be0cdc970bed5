"""Where the web page meets the application; nothing else of it is loaded before its first request.

Owns which paths are the page's: `/` for browsers, and everything below /ui/. The page is not served
on the operator's socket, whose requests need no credential.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from originmap.api.guard import Guard
from originmap.api.http.request import Request
from originmap.api.http.router import Found, Route
from originmap.service.access.brake import Brake

if TYPE_CHECKING:
    from originmap.api.ui.routes import PageRouter

BASE = "/ui"


class PageSetup(NamedTuple):
    """What the page needs: the routes that it calls, and their checks. The clocks are in
    microseconds: `now` since 1970 UTC, `elapsed` monotonic. `dev_token` is "" unless visitors from
    this machine need no sign-in."""

    routes: Sequence[Route]
    guard: Guard
    brake: Brake
    now: Callable[[], int]
    elapsed: Callable[[], int]
    dev_token: str


class PageMount:
    """Finds pages; builds them on the first request."""

    def __init__(self, setup: PageSetup) -> None:
        self._setup = setup
        self._router: PageRouter | None = None

    def find(self, request: Request) -> Found | None:
        """The routes of the page at the path of a request; None if the path is not the page's."""
        path = request.path
        if request.by_operator:
            return None
        if path == "/":
            if "text/html" not in (request.header(b"accept") or ""):
                return None
        elif path != BASE and not path.startswith(f"{BASE}/"):
            return None
        if self._router is None:
            from originmap.api.ui.routes import PageRouter  # it loads the templates

            self._router = PageRouter(self._setup)
        return self._router.find(path)
