"""Limits failed authentications by address: failures are delayed, then rejected.

Valid credentials from the same address keep working. Only failures are delayed or rejected, so an
attacker cannot lock out other users.
"""

from originmap.domain.access.errors import AccessError, TooManyFailures
from originmap.domain.access.rate_limit import Quota
from originmap.service.access.rate_limiter import MAX_CALLERS, RateLimiter
from originmap.store.clock import Now

REFUSED_AFTER = Quota(100, 60)
"""Failures from one address in a minute; further failures are rejected."""

SLOWED_AFTER = 20
DELAY_SECONDS = 0.5


class Brake:
    """Counts failures. If `enabled` is False it counts none, for servers that are for trials."""

    def __init__(self, now: Now, *, enabled: bool = True, at_most: int = MAX_CALLERS) -> None:
        self._failures = RateLimiter(REFUSED_AFTER, now, at_most)
        self._enabled = enabled

    def failed(self, client: str, error: AccessError) -> AccessError:
        """Count a failure and return the error to respond with: `error` itself, or
        TooManyFailures."""
        if not self._enabled or self._failures.take(client).taken:
            return error
        return TooManyFailures()

    def delay(self, client: str) -> float:
        """Return the seconds to wait before the response to a failure."""
        return DELAY_SECONDS if self._failures.used(client) > SLOWED_AFTER else 0.0
