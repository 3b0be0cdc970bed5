"""Answers that take long, and the credentials behind them.

A stream, a wait or a file that is being sent ends when its credential is revoked, changed or
expires, whatever else the server does meanwhile.
"""

import asyncio
from collections.abc import Callable, Sequence

from originmap.domain.history.record import Kind, RecordChange
from originmap.service.access.access import Access
from originmap.service.access.directory import Caller
from originmap.store.clock import Now
from originmap.store.port import Store

_LONGEST_TIMER = 60.0
"""Seconds after which the clock is looked at again: it may have been set."""
_CREDENTIALS = (Kind.TOKEN, Kind.USER)


class Session:
    """One answer; an operation that ends it is called once, unless it is closed before."""

    def __init__(self, sessions: "Sessions", caller: Caller, end: Callable[[], None]) -> None:
        self.caller = caller
        self._sessions = sessions
        self._end = end
        self.timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """The answer is complete, or nobody takes it any more."""
        if self.timer is not None:
            self.timer.cancel()
        self._sessions.forget(self)

    def end(self) -> None:
        """End the answer."""
        self.close()
        self._end()


class Sessions:
    """Every long answer that is under way."""

    def __init__(self, store: Store, access: Access, now: Now) -> None:
        """`now` in microseconds since 1970 UTC."""
        self._access = access
        self._now = now
        self._open: set[Session] = set()
        store.follow_records(self._check_all)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._open)

    def open(self, caller: Caller, end: Callable[[], None]) -> Session:
        """Call `end` as soon as `caller` has lost the rights it came with."""
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
