"""Reads the members of a JSON object, each with its type."""

from typing import Any

from originmap.api.body import decode_json
from originmap.domain.errors import InvalidQuery


class Members:
    """The members of an object whose names are known."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = {name: value for name, value in values.items() if value is not None}

    @property
    def names(self) -> frozenset[str]:
        """The names of the members that are not null."""
        return frozenset(self._values)

    def text(self, name: str, default: str = "") -> str:
        """A string."""
        value = self._values.get(name, default)
        if not isinstance(value, str):
            raise InvalidQuery(f"{name} must be a string")
        return value

    def flag(self, name: str) -> bool:
        """A boolean, which must be there."""
        value = self._values.get(name)
        if not isinstance(value, bool):
            raise InvalidQuery(f"{name} must be true or false")
        return value

    def whole(self, name: str, least: int, most: int) -> int | None:
        """A whole number; None if it is missing."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise InvalidQuery(f"{name} must be a whole number from {least} to {most}")
        return value

    def number(self, name: str, least: float, most: float, default: float = 0.0) -> float:
        """A number."""
        value = self._values.get(name, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise InvalidQuery(f"{name} must be a number")
        if not least <= value <= most:
            raise InvalidQuery(f"{name} must be from {least:g} to {most:g}")
        return float(value)

    def items(self, name: str, most: int) -> tuple[str | int, ...]:
        """A list of strings and whole numbers."""
        value = self._values.get(name, [])
        if not isinstance(value, list) or len(value) > most:
            raise InvalidQuery(f"{name} must be a list of at most {most}")
        if not all(isinstance(v, str | int) and not isinstance(v, bool) for v in value):
            raise InvalidQuery(f"{name} must be a list of addresses and positions")
        return tuple(value)


def read_members(body: bytes, known: set[str]) -> Members:
    """The members of a body. Raises MalformedJSON, and InvalidQuery for an unknown member."""
    value = decode_json(body)
    if not isinstance(value, dict):
        raise InvalidQuery("the body must be a JSON object")
    if unknown := sorted(value.keys() - known):
        names = ", ".join(sorted(known))
        raise InvalidQuery(f"unknown member {unknown[0]}; known are: {names}")
    return Members(value)
