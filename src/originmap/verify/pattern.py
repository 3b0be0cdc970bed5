"""What an answer must be like: JSON values, with wildcards for what differs from server to server.

An object in a pattern may have more members in the answer, because clients ignore unknown ones; an
array may not have more items. `Exactly` allows nothing more.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Like:
    """Any value of a kind; texts must match `form` in full. `name` is printed for it."""

    name: str
    kind: type | tuple[type, ...]
    form: str = ".*"


@dataclass(frozen=True)
class OneOf:
    """Any of several patterns."""

    options: tuple[Any, ...]


@dataclass(frozen=True)
class Each:
    """An array with at least one item, all of one pattern."""

    item: Any


@dataclass(frozen=True)
class Exactly:
    """An object with these members and no others."""

    members: Mapping[str, Any]


ANY = Like("<anything>", object)
TEXT = Like("<text>", str)
NUMBER = Like("<number>", int)
FLAG = Like("<true or false>", bool)
LIST = Like("<array>", list)
TIME = Like("<time>", str, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
MICROSECONDS = Like("<time in UTC with microseconds>", str, r"[\d-]{10}T[\d:]{8}\.\d{6}Z")
CLIENT_ERROR = Like("<400 to 499>", int, r"4\d\d")


def matches(pattern: Any, value: Any) -> bool:
    """Whether a decoded JSON value is like a pattern."""
    match pattern:
        case Like():
            return _is_like(pattern, value)
        case OneOf():
            return any(matches(option, value) for option in pattern.options)
        case Each():
            return bool(value) and isinstance(value, list) and _all(pattern.item, value)
        case Exactly():
            members = dict(pattern.members)
            return matches(members, value) and len(value) == len(members)
        case dict():
            return isinstance(value, dict) and all(
                name in value and matches(wanted, value[name]) for name, wanted in pattern.items()
            )
        case list() | tuple():
            return (
                isinstance(value, list)
                and len(value) == len(pattern)
                and all(matches(wanted, each) for wanted, each in zip(pattern, value, strict=True))
            )
    return type(pattern) is type(value) and bool(pattern == value)


def shown(pattern: Any) -> Any:
    """A pattern as a JSON value, its wildcards by their names."""
    match pattern:
        case Like():
            return pattern.name
        case OneOf():
            return {"one of": [shown(option) for option in pattern.options]}
        case Each():
            return [shown(pattern.item), "..."]
        case Exactly():
            return shown(dict(pattern.members))
        case dict():
            return {name: shown(each) for name, each in pattern.items()}
        case list() | tuple():
            return [shown(each) for each in pattern]
    return pattern


def _is_like(like: Like, value: Any) -> bool:
    if not isinstance(value, like.kind) or (like.kind is int and isinstance(value, bool)):
        return False
    return like.form == ".*" or re.fullmatch(like.form, str(value)) is not None


def _all(item: Any, values: list[Any]) -> bool:
    return all(matches(item, value) for value in values)


class Expected(NamedTuple):
    """What Originmap answers: a status, a body, and the headers that a check is about."""

    status: Any
    body: Any = ANY
    headers: Mapping[str, Any] = {}

    def fits(self, status: int, headers: Mapping[str, str], body: Any) -> bool:
        """Whether an answer is the same."""
        return (
            matches(self.status, status)
            and matches(self.body, body)
            and all(matches(wanted, headers.get(name)) for name, wanted in self.headers.items())
        )
