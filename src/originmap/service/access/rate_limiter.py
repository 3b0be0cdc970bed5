"""Rate limits: requests are counted by user or by address against a quota."""

from originmap.domain.access.rate_limit import Quota, QuotaVerdict, Window, take
from originmap.store.clock import Now

MAX_CALLERS = 100_000
"""Limit of windows in memory. Beyond it, windows that have ended are dropped first, then the
oldest."""


class RateLimiter:
    """Counts the requests of callers against one quota."""

    def __init__(self, quota: Quota, now: Now, at_most: int = MAX_CALLERS) -> None:
        self.quota = quota
        self._now = now
        self._at_most = at_most
        self._windows: dict[str, Window] = {}

    def take(self, caller: str, requests: int = 1) -> QuotaVerdict:
        """Count requests of `caller` and report whether they are within the quota."""
        now = self._now()
        window, verdict = take(self.quota, self._windows.get(caller), now, requests)
        if caller not in self._windows and len(self._windows) >= self._at_most:
            self._make_room(now)
        self._windows[caller] = window
        return verdict

    def used(self, caller: str) -> int:
        """Return how many requests `caller` made in its current window."""
        window = self._windows.get(caller)
        return 0 if window is None or self._now() >= window.until else window.used

    def reset(self) -> None:
        """Forget all callers."""
        self._windows.clear()

    def _make_room(self, now: int) -> None:
        # Drop a tenth at once, so that a flood of new callers does not pay for this each time.
        live = [(caller, window) for caller, window in self._windows.items() if now < window.until]
        room = self._at_most - self._at_most // 10 - 1
        self._windows = dict(live[max(0, len(live) - room) :])
