"""Formats and parses times of the API: RFC 3339."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1)


def timestamp(microseconds: int) -> str:
    """Format a time in UTC, with microseconds: 2026-03-01T12:00:00.000000Z."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{_to_the_second(seconds)}.{rest:06}Z"


def parse_timestamp(text: str) -> int:
    """Parse RFC 3339 text into microseconds since 1970 UTC. Raises ValueError, also for a time
    without an offset, and for a year outside 1 to 9999 in UTC, which cannot be formatted."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no offset from UTC: {text!r}")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"out of range in UTC: {text!r}") from None
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@lru_cache(maxsize=4096)  # a page of a list was often written within a second
def _to_the_second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()
