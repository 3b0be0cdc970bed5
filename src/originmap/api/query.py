"""Reading query arguments of Cloudflare's routes; unknown ones are left alone."""

from collections.abc import Sequence
from typing import TypeVar

from originmap.api.http.request import Request
from originmap.domain.errors import InvalidPage
from originmap.domain.number import whole

T = TypeVar("T")

_LAST_PAGE = 10**15 - 1
"""Every database takes the number of the first entry of any page up to this one."""


def page_of(request: Request, at_most: int, default: int = 20) -> tuple[int, int]:
    """`page` and `per_page`, the latter from 1 to `at_most`. Raises InvalidPage.

    Only ASCII digits are a number.
    """
    if not request.query:
        return 1, default
    values = request.query_arguments()
    page = _number(values, "page", 1, _LAST_PAGE)
    if page is None:
        raise InvalidPage("page", at_most)
    per_page = _number(values, "per_page", default, at_most)
    if per_page is None:
        raise InvalidPage("per_page", at_most)
    return page, per_page


def part_of(items: Sequence[T], page: int, per_page: int) -> Sequence[T]:
    """Page number `page` (from 1) of a list that is at hand as a whole."""
    return items[(page - 1) * per_page : page * per_page]


def text_of(request: Request, name: str) -> str | None:
    """The argument's last value, None without one."""
    values = request.query_arguments().get(name)
    return values[-1] if values else None


def _number(values: dict[str, list[str]], name: str, default: int, most: int) -> int | None:
    """The argument's last value, None if it is no number from 1 to `most`."""
    given = values.get(name)
    return default if given is None else whole(given[-1], 1, most)
