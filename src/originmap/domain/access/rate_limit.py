"""Rate limits: a number of requests in a time window; clients over the limit are blocked.

Published for the API: 1,200 requests in five minutes for each user, then all requests are refused
for five minutes; and 200 requests a second for each address.
"""

from typing import NamedTuple

from originmap.domain.number import shown, whole

MICROSECONDS = 1_000_000
MOST_REQUESTS, LONGEST_WINDOW = 1_000_000_000, 86_400


class Quota(NamedTuple):
    """`limit` requests in each window of `seconds`; a client over it is blocked for `seconds`."""

    limit: int
    seconds: int


class Window(NamedTuple):
    """The requests that one client made in a window. It ends at `until`, in microseconds."""

    until: int
    used: int
    blocked: bool


class QuotaVerdict(NamedTuple):
    """Whether a request is accepted, how many more are, and the seconds until the reset."""

    taken: bool
    remaining: int
    reset: int


def take(
    quota: Quota, window: Window | None, now: int, requests: int = 1
) -> tuple[Window, QuotaVerdict]:
    """Count requests against `window`, None for a client without one. Several requests are
    accepted together if one is, and use up at most the rest of the quota."""
    if window is None or now >= window.until:
        window = Window(now + quota.seconds * MICROSECONDS, 0, blocked=False)
    if window.used >= quota.limit and not window.blocked:
        window = Window(now + quota.seconds * MICROSECONDS, window.used, blocked=True)
    if not window.blocked:
        window = window._replace(used=min(window.used + requests, quota.limit))
    reset = -((now - window.until) // MICROSECONDS)  # rounded up
    remaining = 0 if window.blocked else quota.limit - window.used
    return window, QuotaVerdict(not window.blocked, remaining, reset)


CLOUDFLARE_USER = Quota(1200, 300)
CLOUDFLARE_ADDRESS = Quota(200, 1)


def parse(text: str) -> tuple[Quota | None, Quota | None]:
    """Quotas for a user and for an address: "off", "cloudflare", "1200/300", "1200/300,200/1".

    Raises ValueError.
    """
    if text == "off":
        return None, None
    if text == "cloudflare":
        return CLOUDFLARE_USER, CLOUDFLARE_ADDRESS
    user, comma, address = text.partition(",")
    return _quota(user), _quota(address) if comma else None


def _quota(text: str) -> Quota:
    requests, _, window = text.partition("/")
    limit, seconds = whole(requests, 1, MOST_REQUESTS), whole(window, 1, LONGEST_WINDOW)
    if limit is None or seconds is None:
        raise ValueError(
            f"{shown(text)} is not REQUESTS/SECONDS, from 1 to {MOST_REQUESTS} requests in 1 to"
            f" {LONGEST_WINDOW} seconds"
        )
    return Quota(limit, seconds)
