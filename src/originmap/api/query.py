"""Reading query arguments."""

from collections.abc import Sequence
from typing import TypeVar

from falcon.asgi import Request

from originmap.domain.errors import InvalidPage
from originmap.domain.number import whole

T = TypeVar("T")

_LAST_PAGE = 10**15 - 1
"""Every database takes the number of the first entry of any page up to this one."""


def page_of(req: Request, at_most: int, default: int = 20) -> tuple[int, int]:
    """`page` and `per_page`, the latter from 1 to `at_most`. Raises InvalidPage.

    Only ASCII digits are a number. Unknown arguments are left alone.
    """
    page = _number(req, "page", 1, _LAST_PAGE)
    if page is None:
        raise InvalidPage("page", at_most)
    per_page = _number(req, "per_page", default, at_most)
    if per_page is None:
        raise InvalidPage("per_page", at_most)
    return page, per_page


def part_of(items: Sequence[T], page: int, per_page: int) -> Sequence[T]:
    """Page number `page` (from 1) of a list that is at hand as a whole."""
    return items[(page - 1) * per_page : page * per_page]


def text_of(req: Request, name: str) -> str | None:
    """The argument's last value, None where it is not given."""
    value = req.params.get(name)
    return value[-1] if isinstance(value, list) else value


def _number(req: Request, name: str, default: int, most: int) -> int | None:
    """The argument's last value, None if it is no number from 1 to `most`."""
    if not req.query_string:
        return default
    text = text_of(req, name)
    if text is None:
        return default
    return whole(text, 1, most)
