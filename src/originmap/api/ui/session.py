"""Sessions of visitors: a random cookie stands for a token that was entered once.

Only the SHA-256 of a cookie is kept, in memory. A session ends after 12 hours, on sign-out, and
when its token stops working, which `reception` checks on every request. There are at most 1,000,
and 50 of a token; the oldest makes room.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from originmap.api.http.request import Request
from originmap.api.ui.state_undo import StateUndo

COOKIE = "originmap_session"
MOST_SESSIONS = 1_000
MOST_OF_A_TOKEN = 50
SESSION_SECONDS = 12 * 3600


@dataclass(slots=True, eq=False)
class PageSession:
    """A visitor that has signed in. `notices` are shown on the next page, once; `undo` takes back
    the last change of colos."""

    key: bytes
    token: str = field(repr=False)
    csrf: str = field(repr=False)
    ends: int  # in microseconds of the clock
    notices: list[str] = field(default_factory=list)
    undo: StateUndo | None = None

    def accepts(self, csrf: str) -> bool:
        """Whether a form has the token of this session."""
        return hmac.compare_digest(csrf.encode(), self.csrf.encode())


class PageSessions:
    """All sessions, the oldest first."""

    def __init__(self, elapsed: Callable[[], int]) -> None:
        self._elapsed = elapsed
        self._sessions: dict[bytes, PageSession] = {}

    def start(self, token: str) -> tuple[str, PageSession]:
        """Start a session; returns the value of its cookie."""
        of_token = [s for s in self._sessions.values() if s.token == token]
        if len(of_token) >= MOST_OF_A_TOKEN:
            self.end(of_token[0])
        elif len(self._sessions) >= MOST_SESSIONS:
            self.end(next(iter(self._sessions.values())))
        value = secrets.token_urlsafe(32)
        ends = self._elapsed() + SESSION_SECONDS * 1_000_000
        session = PageSession(_key(value), token, secrets.token_urlsafe(32), ends)
        self._sessions[session.key] = session
        return value, session

    def of(self, request: Request) -> PageSession | None:
        """The session whose cookie a request has; None if it has none, or one that has ended."""
        value = cookie_of(request.header(b"cookie") or "")
        session = self._sessions.get(_key(value)) if value else None
        if session is not None and session.ends <= self._elapsed():
            self.end(session)
            return None
        return session

    def end(self, session: PageSession) -> None:
        """End a session."""
        self._sessions.pop(session.key, None)


def cookie_of(header: str) -> str:
    """The session's cookie in a Cookie header (RFC 6265 §4.2.1); "" without one."""
    for pair in header.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE:
            return value
    return ""


def set_cookie(value: str, *, secure: bool) -> tuple[str, str]:
    """The header that sets the cookie of a session, or removes it if `value` is ""."""
    age = SESSION_SECONDS if value else 0
    flags = "; HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")
    return "set-cookie", f"{COOKIE}={value}; Path=/; Max-Age={age}{flags}"


def _key(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()
