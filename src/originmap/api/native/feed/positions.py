"""Points in the feed, in arguments and headers."""

from originmap.api.http.request import Request
from originmap.api.native.arguments import number
from originmap.service.feed.feed import Point, point_of

MOST_CHANGES = 10_000
_LONGEST_WAIT = 60


def point_asked(request: Request, values: dict[str, list[str]], now: Point) -> Point:
    """The point to continue from: the ID of the client's last event, else the argument `since`,
    else now. Raises InvalidQuery."""
    last = request.header(b"last-event-id")
    if last:
        return point_of(last)
    return point_of(values["since"][-1]) if "since" in values else now


def wait_asked(values: dict[str, list[str]]) -> int:
    """The seconds of a long poll. Raises InvalidQuery."""
    return number(values, "wait", 0, 0, _LONGEST_WAIT)


def limit_asked(values: dict[str, list[str]]) -> int:
    """The maximum number of changes. Raises InvalidQuery."""
    return number(values, "limit", 1_000, 1, MOST_CHANGES)
