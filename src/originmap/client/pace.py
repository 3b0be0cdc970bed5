"""Decides when to send the next request, from the rate limit headers of a response.

`Ratelimit: "default";r=50;t=30` means: 50 requests left, and 30 seconds until the quota is renewed
(draft-ietf-httpapi-ratelimit-headers). A client that exceeds the limit is blocked for minutes, so
this one waits for the renewal. `Retry-After` is seconds or a date (RFC 9110 §10.2.3).
"""

import datetime
import email.utils
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from originmap.domain.number import whole

_MEMBER = re.compile(r";\s*([a-z]+)=([0-9]{1,9})")
LONGEST_SECONDS = 900.0
"""The longest wait, whatever a response says."""


class QuotaLeft(NamedTuple):
    """The requests left, and the seconds until the quota is renewed."""

    requests: int
    renewal: float


def wait_after(headers: Mapping[str, str]) -> float:
    """Seconds to wait before the next request after a successful one: 0 if requests are left."""
    left = quota_left(headers)
    return left.renewal if left is not None and left.requests == 0 else 0.0


def quota_left(headers: Mapping[str, str]) -> QuotaLeft | None:
    """What the headers say; of several quotas, the one with the fewest requests left. None without
    the header."""
    quotas = []
    for item in headers.get("ratelimit", "").split(","):
        members = dict(_MEMBER.findall(item))
        if "r" in members:
            renewal = min(float(members.get("t", 0)), LONGEST_SECONDS)
            quotas.append(QuotaLeft(int(members["r"]), renewal))
    return min(quotas, key=lambda quota: (quota.requests, -quota.renewal), default=None)


def retry_after(headers: Mapping[str, str], now: datetime.datetime) -> float | None:
    """The seconds in Retry-After; None if it is missing or invalid."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal() and value.isascii():
        seconds = whole(value, 0, int(LONGEST_SECONDS))
        return LONGEST_SECONDS if seconds is None else float(seconds)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_SECONDS)


def back_off() -> Iterator[float]:
    """The seconds to wait before each retry; the number of values is the number of retries."""
    yield from (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
