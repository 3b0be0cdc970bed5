"""Slows down and then refuses who guesses credentials, by address.

Good credentials from the same address go on working: only a failure is ever slowed or refused,
so nobody can lock others out.
"""

from originmap.domain.errors import AccessError, TooManyFailures
from originmap.domain.rate_limit import Quota, Window, take
from originmap.store.clock import Now

REFUSED_AFTER = Quota(100, 60)
"""Failures from one address in a minute; each further one is refused."""

SLOWED_AFTER = 20
DELAY_SECONDS = 0.5
_MAX_ADDRESSES = 100_000


class Brake:
    """Counts failures. With `enabled` False it counts none, for servers made for trying out."""

    def __init__(self, now: Now, *, enabled: bool = True) -> None:
        self._now = now
        self._enabled = enabled
        self._windows: dict[str, Window] = {}

    def failed(self, client: str, error: AccessError) -> AccessError:
        """Count a failure; what to answer: `error` itself, or TooManyFailures."""
        if not self._enabled:
            return error
        if len(self._windows) >= _MAX_ADDRESSES:
            now = self._now()
            self._windows = {c: w for c, w in self._windows.items() if now < w.until}
        window, verdict = take(REFUSED_AFTER, self._windows.get(client), self._now())
        self._windows[client] = window
        return error if verdict.taken else TooManyFailures()

    def delay(self, client: str) -> float:
        """Seconds to wait before a failure is answered."""
        window = self._windows.get(client)
        if window is None or window.used <= SLOWED_AFTER or self._now() >= window.until:
            return 0.0
        return DELAY_SECONDS
