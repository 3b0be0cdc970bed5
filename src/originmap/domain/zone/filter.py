"""Filters, orders and directions that the API publishes for lists of zones."""

import unicodedata
from collections.abc import Callable, Iterable
from typing import NamedTuple

from originmap.domain.zone.name import lookup_name, unicode_name
from originmap.domain.zone.zone import Account, Zone

ACTIVE = "active"
"""The status of every zone: without DNS hosting, a zone is active at once."""

_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "equal": lambda text, value: text == value,
    "not_equal": lambda text, value: text != value,
    "starts_with": lambda text, value: text.startswith(value),
    "ends_with": lambda text, value: text.endswith(value),
    "contains": lambda text, value: value in text,
}
_CASE_SENSITIVE = "_case_sensitive"

ORDERS: dict[str, Callable[[Zone, Account], str]] = {
    "name": lambda zone, account: zone.name,
    "status": lambda zone, account: ACTIVE,
    "account.id": lambda zone, account: zone.account_id,
    "account.name": lambda zone, account: account.name,
    "plan.id": lambda zone, account: "",
}


class ZoneQuery(NamedTuple):
    """The filters of a list of zones; None means no filter.

    `name` and `account_name` can start with an operator: "starts_with:example". Published as
    parameters of GET /zones.
    """

    name: str | None = None
    status: str | None = None
    types: tuple[str, ...] | None = None  # None: all types except internal
    account_id: str | None = None
    account_name: str | None = None
    order: str = "name"
    descending: bool = False
    any_matches: bool = False


def text_matches(pattern: str, text: str) -> bool:
    """Whether `text` matches `pattern`. Only operators with "case_sensitive" in their name
    distinguish case."""
    operator, colon, value = pattern.partition(":")
    base = operator.removesuffix(_CASE_SENSITIVE)
    if not colon or base not in _OPERATORS:
        operator, base, value = "equal", "equal", pattern
    if not operator.endswith(_CASE_SENSITIVE):
        text, value = text.lower(), value.lower()
    return _OPERATORS[base](text, value)


def name_matches(pattern: str, name: str) -> bool:
    """Whether a zone's name, in A-labels or in its Unicode form, matches `pattern`."""
    operator, colon, _ = pattern.partition(":")
    base = operator.removesuffix(_CASE_SENSITIVE)
    if not colon or base not in _OPERATORS:
        return lookup_name(pattern) == name.lower()
    pattern = unicodedata.normalize("NFC", pattern)
    matches = (text_matches(pattern, form) for form in (name, unicode_name(name)))
    return all(matches) if base == "not_equal" else any(matches)


def find(zones: Iterable[tuple[Zone, Account]], query: ZoneQuery) -> list[Zone]:
    """The zones that match `query`, in its order; ties are sorted by name."""
    matches = [pair for pair in zones if _matches(*pair, query)]
    key = ORDERS[query.order]
    matches.sort(key=lambda pair: pair[0].name)
    matches.sort(key=lambda pair: key(*pair), reverse=query.descending)
    return [zone for zone, _ in matches]


def _matches(zone: Zone, account: Account, query: ZoneQuery) -> bool:
    if query.types is None:
        if zone.type == "internal":
            return False
    elif zone.type not in query.types:
        return False
    checks = []
    if query.name is not None:
        checks.append(name_matches(query.name, zone.name))
    if query.status is not None:
        checks.append(query.status == ACTIVE)
    if query.account_id is not None:
        checks.append(query.account_id == zone.account_id)
    if query.account_name is not None:
        checks.append(text_matches(query.account_name, account.name))
    return not checks or (any if query.any_matches else all)(checks)
