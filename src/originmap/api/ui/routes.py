"""The table of pages, and how each request of a visitor is answered."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from originmap.api import errors
from originmap.api.application import Application, refusal_response
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.http.router import METHODS, Found, Route, Router
from originmap.api.ui.assets import Assets
from originmap.api.ui.inner import Inner, InnerRefused, with_headers
from originmap.api.ui.mount import BASE, PageSetup
from originmap.api.ui.pages import (
    audit,
    colo_states,
    fleet,
    history,
    map_page,
    mapping,
    plan,
    reference,
    requests,
    tokens,
    zone,
    zones,
)
from originmap.api.ui.reception import MOST_OF_A_STRANGER, SIGN_IN, Reception, is_forged
from originmap.api.ui.render import HEADERS, PageRenderer
from originmap.api.ui.rights import VisitorRights
from originmap.api.ui.visit import Visit, fields_of
from originmap.service.turns import Turns

MOST_BODY = 4 << 20
"""Of a request of a script, which is passed on to the API."""
_MOST_FORM = 1 << 20
_SMALL = 16 << 10
"""Bytes of a form that is read in about a millisecond."""
API = f"{BASE}/api"
_MISSING = f"{BASE}/missing"
_ZONE = "/zones/{zone_id:hex32}"

Page = Callable[[Visit], Coroutine[Any, Any, Response]]
"""Answers a request of a visitor that has signed in. InnerRefused becomes a page that says why."""

_ENDED = errors.refusal(401, 10000, "The session has ended. Sign in again.")
_FORGED = errors.refusal(403, 10403, "X-CSRF-Token is missing or wrong. Load the page again.")
_FORM_FORGED = "The form is from an earlier session. Check the values and send it again."

PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/", map_page.show_map),
    ("GET", "/map/preview", colo_states.preview_states),
    ("POST", "/map/states", colo_states.set_states),
    ("POST", "/map/undo", colo_states.undo_states),
    ("GET", "/fleet", fleet.show_fleet),
    ("POST", "/fleet/rollout", fleet.take_step),
    ("GET", "/zones", zones.list_zones),
    ("GET", _ZONE, zone.show_zone),
    ("POST", f"{_ZONE}/mappings", mapping.add_mapping),
    ("GET", f"{_ZONE}/mappings/{{ip}}", mapping.show_mapping),
    ("POST", f"{_ZONE}/mappings/{{ip}}", mapping.change_mapping),
    ("POST", f"{_ZONE}/mappings/{{ip}}/delete", mapping.delete_mapping),
    ("POST", f"{_ZONE}/plan", plan.show_plan),
    ("POST", f"{_ZONE}/apply", plan.apply_plan),
    ("GET", f"{_ZONE}/history", history.list_changes),
    ("GET", f"{_ZONE}/compare", history.compare),
    ("GET", f"{_ZONE}/rollback", history.preview_rollback),
    ("POST", f"{_ZONE}/rollback", history.roll_back),
    ("GET", "/tokens", tokens.list_tokens),
    ("POST", "/tokens", tokens.create_token),
    ("GET", "/tokens/{token}/revoke", tokens.ask_to_revoke),
    ("POST", "/tokens/{token}/revoke", tokens.revoke_token),
    ("GET", "/audit", audit.list_entries),
    ("GET", "/reference", reference.list_operations),
    ("GET", "/reference/{operation}", reference.show_operation),
    ("GET", "/requests", requests.list_requests),
    ("POST", "/requests/reset", requests.reset),
    ("POST", "/requests/clear", requests.clear),
    ("POST", "/requests/faults", requests.add_fault),
    ("POST", "/requests/faults/remove", requests.remove_faults),
)
"""Method, path below /ui, and page."""


class PageRouter:
    """Finds the routes of the page, and answers their requests."""

    def __init__(self, setup: PageSetup) -> None:
        self._application = Application(setup.routes, setup.brake)
        self._guard, self._now = setup.guard, setup.now
        self._assets = Assets()
        self._renderer = PageRenderer(self._assets, dev=bool(setup.dev_token))
        self._reception = Reception(setup, self._renderer)
        self._turns = Turns()
        self._router = Router(self._routes())

    def find(self, path: str) -> Found | None:
        """The routes at a path, which is the page's."""
        found = self._router.find(API if path.startswith(f"{API}/") else path)
        return found or self._router.find(_MISSING)

    def _routes(self) -> list[Route]:
        reception, answer = self._reception, self._answer
        methods = [method for method in METHODS if method != "HEAD"]
        return [
            self._route("GET", "/", _to_start),
            self._route("GET", BASE, _to_start),
            self._route("GET", f"{BASE}/assets/{{version}}/{{name}}", self._asset),
            self._route("GET", SIGN_IN, reception.show_form),
            self._route("POST", SIGN_IN, reception.sign_in, MOST_OF_A_STRANGER),
            self._route("POST", f"{BASE}/sign-out", partial(answer, self._sign_out)),
            self._route("GET", _MISSING, partial(answer, _missing)),
            *(self._route(method, API, self._answer_script, MOST_BODY) for method in methods),
            *(
                self._route(method, BASE + path, partial(answer, page))
                for method, path, page in PAGES
            ),
        ]

    def _route(
        self, method: str, path: str, handle: Callable[[Request], Any], max_body: int = _MOST_FORM
    ) -> Route:
        return Route(method, path, self._reception.admit, handle, max_body=max_body)

    async def _answer(self, page: Page, request: Request) -> Response:
        found = self._reception.recognize(request)
        if found is None:
            return self._reception.to_sign_in(request)
        session, caller, headers = found
        inner = Inner(self._application, request, session.token)
        rights = VisitorRights(self._guard, caller)
        fields = await self._fields(request)
        visit = Visit(
            request, fields, session, rights, inner, self._renderer, self._turns, self._now()
        )
        if is_forged(request, fields, session):
            response = await visit.page("refused.html", 403, [_FORM_FORGED])
        else:
            try:
                response = await page(visit)
            except InnerRefused as refused:
                response = await visit.refused(refused)
        return with_headers(response, headers)

    async def _answer_script(self, request: Request) -> Response:
        """Pass a request of a script on to the API."""
        found = self._reception.recognize(request)
        if found is None:
            return refusal_response(_ENDED)
        session, _, headers = found
        if is_forged(request, await self._fields(request), session):
            return refusal_response(_FORGED)
        url = request.path.removeprefix(API) + (f"?{request.query}" if request.query else "")
        response = await Inner(self._application, request, session.token).pass_on(url)
        return with_headers(response, headers)

    async def _fields(self, request: Request) -> dict[str, list[str]]:
        if len(request.body) <= _SMALL:
            return fields_of(request)
        return await self._turns.on_thread(fields_of, request)

    async def _sign_out(self, visit: Visit) -> Response:
        return self._reception.sign_out(visit.session)

    def _asset(self, request: Request) -> Response:
        return self._assets.response(request) or refusal_response(errors.no_route(request.path))


def _to_start(request: Request) -> Response:
    return Response(b"", 302, (*HEADERS, ("location", f"{BASE}/")), "text/plain")


async def _missing(visit: Visit) -> Response:
    return await visit.page("refused.html", 404, [f"There is no page {visit.request.path}."])
