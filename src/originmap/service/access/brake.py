"""Slows down and then refuses who guesses credentials, by address.

Good credentials from the same address go on working: only a failure is ever slowed or refused,
so nobody can lock others out.
"""

from originmap.domain.access.errors import AccessError, TooManyFailures
from originmap.domain.access.rate_limit import Quota
from originmap.service.access.rate_limiter import MAX_CALLERS, RateLimiter
from originmap.store.clock import Now

REFUSED_AFTER = Quota(100, 60)
"""Failures from one address in a minute; each further one is refused."""

SLOWED_AFTER = 20
DELAY_SECONDS = 0.5


class Brake:
    """Counts failures. With `enabled` False it counts none, for servers made for trying out."""

    def __init__(self, now: Now, *, enabled: bool = True, at_most: int = MAX_CALLERS) -> None:
        self._failures = RateLimiter(REFUSED_AFTER, now, at_most)
        self._enabled = enabled

    def failed(self, client: str, error: AccessError) -> AccessError:
        """Count a failure; what to answer: `error` itself, or TooManyFailures."""
        if not self._enabled or self._failures.take(client).taken:
            return error
        return TooManyFailures()

    def delay(self, client: str) -> float:
        """Seconds to wait before a failure is answered."""
        return DELAY_SECONDS if self._failures.used(client) > SLOWED_AFTER else 0.0
