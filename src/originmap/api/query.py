"""Reads query arguments of Cloudflare's routes; unknown arguments are ignored."""

from collections.abc import Sequence
from typing import TypeVar

from originmap.api.http.request import Request
from originmap.domain.errors import InvalidPage
from originmap.domain.number import whole

T = TypeVar("T")

_LAST_PAGE = 10**15 - 1
"""The largest page number; its offset fits into an integer of every database."""


def page_of(request: Request, at_most: int, default: int = 20) -> tuple[int, int]:
    """`page` and `per_page`, the latter from 1 to `at_most`. Raises InvalidPage.

    Numbers have only ASCII digits.
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
    """Page `page` (from 1) of a complete list."""
    return items[(page - 1) * per_page : page * per_page]


def text_of(request: Request, name: str) -> str | None:
    """The argument's last value; None if it is missing."""
    values = request.query_arguments().get(name)
    return values[-1] if values else None


def _number(values: dict[str, list[str]], name: str, default: int, most: int) -> int | None:
    """The argument's last value; None if it is not a number from 1 to `most`."""
    given = values.get(name)
    return default if given is None else whole(given[-1], 1, most)
