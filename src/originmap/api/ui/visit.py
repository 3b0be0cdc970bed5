"""A visit: one request of a visitor that has signed in, as pages use it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar, TypeVarTuple
from urllib.parse import parse_qs

from originmap.api.http.request import Request
from originmap.api.http.response import Headers, Response
from originmap.api.ui.inner import Inner, InnerAnswer, InnerRefused
from originmap.api.ui.render import HEADERS, PageRenderer
from originmap.api.ui.rights import VisitorRights
from originmap.api.ui.session import PageSession
from originmap.domain.number import whole
from originmap.domain.problems import MOST_PROBLEMS
from originmap.service.turns import Turns

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

MOST_FIELDS = 10_000


class Visit:
    """A request, its session, and the means to answer it."""

    def __init__(
        self,
        request: Request,
        fields: dict[str, list[str]],
        session: PageSession,
        rights: VisitorRights,
        inner: Inner,
        renderer: PageRenderer,
        turns: Turns,
        now: int,
    ) -> None:
        """`fields` are those of its form; `now` is the server's time, in microseconds since 1970
        UTC."""
        self.request = request
        self.session = session
        self.rights = rights
        self.inner = inner
        self.now = now
        self._renderer = renderer
        self._turns = turns
        self.arguments = request.arguments
        self.query = {name: values[-1] for name, values in request.query_arguments().items()}
        self.fields = fields

    def field(self, name: str, default: str = "") -> str:
        """The last value of a form's field, without spaces around it."""
        return self.fields.get(name, [default])[-1].strip()

    @property
    def page_number(self) -> int:
        """The argument `page`; 1 if it is missing or no number."""
        return whole(self.query.get("page", ""), 1, 10**9) or 1

    async def get(self, url: str) -> Any:
        """The result of a GET of the API. Raises InnerRefused."""
        return (await self.inner.ask("GET", url)).result

    async def send(self, method: str, url: str, body: object = None) -> InnerAnswer:
        """Call another operation of the API. Raises InnerRefused."""
        return await self.inner.ask(method, url, body)

    async def on_thread(self, work: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Do what can take longer than a few milliseconds, so that other requests are answered
        meanwhile. The arguments must be values of this request only."""
        return await self._turns.on_thread(work, *arguments)

    async def page(
        self, template: str, status: int = 200, problems: list[str] | None = None, **values: Any
    ) -> Response:
        """A page, with the notices of the session and, as an alert, `problems`. A script that asks
        for a page again (`X-Live`) leaves the notices to the next page that somebody opens."""
        notices: list[str] = []
        if self.request.header(b"x-live") is None:
            notices, self.session.notices = _first(self.session.notices), []
        common: dict[str, Any] = {
            "visit": self,
            "rights": self.rights,
            "csrf": self.session.csrf,
            "notices": notices,
            "problems": _first(problems or []),
        }
        render = partial(self._renderer.page, self.request, template, status, **common, **values)
        return await self.on_thread(render)

    async def refused(self, refused: InnerRefused) -> Response:
        """A page that only says why the API refused."""
        return await self.page("refused.html", refused.status, refused.problems)

    def see(self, path: str, notice: str = "") -> Response:
        """Redirect to a page after a form, with a notice there."""
        if notice:
            self.session.notices.append(notice)
        return see_other(path)


def _first(texts: Sequence[str]) -> list[str]:
    """The problems or notices that a page shows; more are counted."""
    more = len(texts) - MOST_PROBLEMS
    return [*texts[:MOST_PROBLEMS], *([f"… and {more:,} more."] if more > 0 else [])]


def see_other(path: str, headers: Headers = ()) -> Response:
    """Redirect with GET (RFC 9110 §15.4.4)."""
    return Response(b"", 303, (*HEADERS, ("location", path), *headers), "text/plain")


def fields_of(request: Request) -> dict[str, list[str]]:
    """The fields of a form; empty if there are too many, or if it is not one."""
    if not (request.header(b"content-type") or "").startswith("application/x-www-form-urlencoded"):
        return {}
    try:
        text = request.body.decode()
        return parse_qs(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}
