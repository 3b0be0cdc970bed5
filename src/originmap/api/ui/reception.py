"""Signs visitors in and out, and receives their requests: session, token and CSRF token."""

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import quote

from originmap.api import errors
from originmap.api.guard import bearer_of
from originmap.api.http.request import Request
from originmap.api.http.response import Headers, Response
from originmap.api.ui.inner import inner_request
from originmap.api.ui.mount import BASE, PageSetup
from originmap.api.ui.origin import is_foreign, is_local, is_secure
from originmap.api.ui.render import PageRenderer
from originmap.api.ui.session import PageSession, PageSessions, set_cookie
from originmap.api.ui.visit import fields_of, see_other
from originmap.domain.access.errors import AccessError, Forbidden
from originmap.domain.errors import BodyTooLarge, OriginmapError
from originmap.service.access.directory import Caller

SIGN_IN = f"{BASE}/sign-in"
_OWN_PAGE = re.compile(rf"{BASE}/[\w./?=&%:~-]*", re.ASCII)
MOST_OF_A_STRANGER = 16 << 10
_UNUSABLE = "Originmap does not accept this token. Check that it is complete and still valid."
_NODE = "This token is one of a node or a replica. Sign in with a token of a user."
_FOREIGN = "Another site sent this form. Open the page and try again."


class Reception:
    """Knows who a request is from."""

    def __init__(self, setup: PageSetup, renderer: PageRenderer) -> None:
        self._guard, self._brake = setup.guard, setup.brake
        self._dev_token = setup.dev_token
        self._renderer = renderer
        self._sessions = PageSessions(setup.elapsed)

    def admit(self, request: Request) -> None:
        """Raises BodyTooLarge for a large body of a visitor that has not signed in; the handler
        answers everything else."""
        size = max(request.length, request.received)
        if size > MOST_OF_A_STRANGER and self._sessions.of(request) is None:
            raise BodyTooLarge

    def recognize(self, request: Request) -> tuple[PageSession, Caller, Headers] | None:
        """The session of a request with its caller, and headers for the answer; None if the visitor
        must sign in. A session ends here if its token does not work any more."""
        session, headers = self._sessions.of(request), Headers()
        if session is None and self._dev_token and is_local(request):
            value, session = self._sessions.start(self._dev_token)
            headers = (set_cookie(value, secure=False),)
        if session is None:
            return None
        try:
            return session, self._caller(request, session.token, counted=True), headers
        except AccessError:
            self._sessions.end(session)
            return None

    def to_sign_in(self, request: Request) -> Response:
        """Redirect to the page with the form, which leads back."""
        wanted = request.path + (f"?{request.query}" if request.query else "")
        back = f"?next={quote(wanted, safe='/')}" if request.method in ("GET", "HEAD") else ""
        return see_other(SIGN_IN + back)

    def show_form(self, request: Request) -> Response:
        """GET /ui/sign-in"""
        wanted = request.query_arguments().get("next", [""])[-1]
        return self._form(request, wanted)

    async def sign_in(self, request: Request) -> Response:
        """POST /ui/sign-in: a wrong token counts as a failed authentication of the address."""
        fields = fields_of(request)
        token = fields.get("token", [""])[-1].strip()
        wanted = fields.get("next", [""])[-1]
        if is_foreign(request):
            return self._form(request, wanted, _FOREIGN, 403)
        try:
            bearer_of(f"Bearer {token}")
            self._caller(request, token, counted=False)
        except Forbidden:
            return self._form(request, wanted, _NODE, 403)
        except OriginmapError as error:
            await asyncio.sleep(self._brake.delay(request.client))
            refusal = errors.render(error)
            known = isinstance(error, AccessError) and refusal.status != 429
            words = _UNUSABLE if known else refusal.errors[0].message
            return self._form(request, wanted, words, refusal.status)
        if (old := self._sessions.of(request)) is not None:
            self._sessions.end(old)
        value, _ = self._sessions.start(token)
        to = wanted if _OWN_PAGE.fullmatch(wanted) else f"{BASE}/"
        return see_other(to, (set_cookie(value, secure=is_secure(request)),))

    def sign_out(self, session: PageSession) -> Response:
        """End a session."""
        self._sessions.end(session)
        return see_other(SIGN_IN, (set_cookie("", secure=False),))

    def _form(
        self, request: Request, wanted: str, problem: str = "", status: int = 200
    ) -> Response:
        problems = [problem] if problem else []
        return self._renderer.page(
            request, "sign_in.html", status, wanted=wanted, problems=problems
        )

    def _caller(self, request: Request, token: str, *, counted: bool) -> Caller:
        probe = inner_request(request, token, "GET", BASE)
        probe.counted = counted
        self._guard.anyone(probe)
        request.known_caller = probe.caller
        return probe.caller


def is_forged(request: Request, fields: Mapping[str, list[str]], session: PageSession) -> bool:
    """Whether a request that changes something lacks the CSRF token of its session, or is from
    another site."""
    if request.method in ("GET", "HEAD"):
        return False
    sent = request.header(b"x-csrf-token") or fields.get("csrf", [""])[-1]
    return is_foreign(request) or not session.accepts(sent)
