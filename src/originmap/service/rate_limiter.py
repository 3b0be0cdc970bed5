"""Counts requests by user or by address against a quota."""

from originmap.domain.rate_limit import Quota, Verdict, Window, take
from originmap.store.clock import Now

_MAX_CALLERS = 100_000
"""Windows kept; beyond that those that have ended are dropped, then the oldest."""


class RateLimiter:
    """Counts one kind of caller against one quota."""

    def __init__(self, quota: Quota, now: Now) -> None:
        self.quota = quota
        self._now = now
        self._windows: dict[str, Window] = {}

    def take(self, caller: str) -> Verdict:
        """Count a request of `caller`, and say whether it is within the quota."""
        now = self._now()
        window, verdict = take(self.quota, self._windows.get(caller), now)
        if caller not in self._windows and len(self._windows) >= _MAX_CALLERS:
            self._make_room(now)
        self._windows[caller] = window
        return verdict

    def _make_room(self, now: int) -> None:
        live = {caller: w for caller, w in self._windows.items() if now < w.until}
        while len(live) >= _MAX_CALLERS:
            del live[next(iter(live))]
        self._windows = live
