"""Long responses and their credentials.

A stream, a long poll or a file download ends when its credential is revoked, changed or expires.
"""

import asyncio
from collections.abc import Callable, Sequence

from originmap.domain.history.record import Kind, RecordChange
from originmap.service.access.access import Access
from originmap.service.access.directory import Caller
from originmap.store.clock import Now
from originmap.store.port import Store

_LONGEST_TIMER = 60.0
"""Seconds between checks of the clock, which may have been set."""
_CREDENTIALS = (Kind.TOKEN, Kind.USER)


class Session:
    """One long response. Its `end` callback runs once, unless the session is closed first."""

    def __init__(self, sessions: "Sessions", caller: Caller, end: Callable[[], None]) -> None:
        self.caller = caller
        self._sessions = sessions
        self._end = end
        self.timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Close the session: the response is complete, or the client has disconnected."""
        if self.timer is not None:
            self.timer.cancel()
        self._sessions.forget(self)

    def end(self) -> None:
        """End the response."""
        self.close()
        self._end()


class Sessions:
    """All long responses in progress."""

    def __init__(self, store: Store, access: Access, now: Now) -> None:
        """`now` in microseconds since 1970 UTC."""
        self._access = access
        self._now = now
        self._open: set[Session] = set()
        store.follow_records(self._check_all)

    @property
    def count(self) -> int:
        """The number of open sessions."""
        return len(self._open)

    def open(self, caller: Caller, end: Callable[[], None]) -> Session:
        """Open a session; `end` is called as soon as `caller` loses its permissions."""
        session = Session(self, caller, end)
        self._open.add(session)
        self._set_timer(session)
        return session

    def forget(self, session: Session) -> None:
        self._open.discard(session)

    def _set_timer(self, session: Session) -> None:
        token = session.caller.token
        if token is None or token.expires_on is None:
            return
        left = max((token.expires_on - self._now()) / 1_000_000, 0)
        session.timer = asyncio.get_running_loop().call_later(
            min(left, _LONGEST_TIMER), self._check, session
        )

    def _check(self, session: Session) -> None:
        if self._access.still(session.caller):
            self._set_timer(session)
        else:
            session.end()

    def _check_all(self, changes: Sequence[RecordChange]) -> None:
        if not any(change.key.kind in _CREDENTIALS for change in changes):
            return
        for session in list(self._open):
            if not self._access.still(session.caller):
                session.end()
