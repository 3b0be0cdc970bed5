"""Reading query arguments."""

import re

from falcon.asgi import Request

from originmap.domain.errors import InvalidPage

_DIGITS = re.compile(r"[0-9]{1,15}")  # what JSON numbers hold exactly


def page_of(req: Request, at_most: int, default: int = 20) -> tuple[int, int]:
    """`page` and `per_page`, the latter from 1 to `at_most`. Raises InvalidPage.

    Only ASCII digits are a number. Unknown arguments are left alone.
    """
    page = _number(req, "page", 1)
    if page < 1:
        raise InvalidPage("page", at_most)
    per_page = _number(req, "per_page", default)
    if not 1 <= per_page <= at_most:
        raise InvalidPage("per_page", at_most)
    return page, per_page


def _number(req: Request, name: str, default: int) -> int:
    """The argument's last value, 0 where it is no number, since no parameter allows 0."""
    if not req.query_string:
        return default
    text = req.params.get(name)
    if text is None:
        return default
    last = text[-1] if isinstance(text, list) else text
    return int(last) if _DIGITS.fullmatch(last) else 0
