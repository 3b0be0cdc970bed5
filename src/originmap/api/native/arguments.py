"""Arguments and bodies of our own routes. Unknown ones are errors that name the argument."""

from collections.abc import Collection
from typing import TypeVar

import msgspec

from originmap.api.body import NOT_JSON, decode_json
from originmap.api.http.request import Request
from originmap.domain.errors import InvalidQuery
from originmap.domain.number import whole
from originmap.service.turns import Turns

T = TypeVar("T")

_SMALL = 16 << 10
"""Larger bodies in bytes are decoded only after waiting for a turn."""


def arguments(request: Request, known: Collection[str]) -> dict[str, list[str]]:
    """The query's arguments, each with all its values. Raises InvalidQuery for unknown ones."""
    values = request.query_arguments()
    for name in values:
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise InvalidQuery(f"unknown argument {name}; known are: {names}")
    return values


def flag(values: dict[str, list[str]], name: str) -> bool:
    """A boolean argument, "true" or "false"; false if it is missing. Raises InvalidQuery."""
    value = values.get(name, ["false"])[-1]
    if value not in ("true", "false"):
        raise InvalidQuery(f'{name} must be "true" or "false"')
    return value == "true"


def number(values: dict[str, list[str]], name: str, default: int, least: int, most: int) -> int:
    """An integer argument. Raises InvalidQuery."""
    if name not in values:
        return default
    found = whole(values[name][-1], least, most)
    if found is None:
        raise InvalidQuery(f"{name} must be a whole number from {least} to {most}")
    return found


def read_as(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode the body. Raises MalformedJSON, or InvalidQuery with the name of the wrong member.
    Routes with a body have no query arguments, so any argument is an error."""
    arguments(request, ())
    try:
        return decoder.decode(request.body)
    except msgspec.ValidationError as error:
        raise InvalidQuery(str(error)) from None
    except NOT_JSON:
        decode_json(request.body)  # raises MalformedJSON
        raise InvalidQuery("a body is required") from None


async def read_large(request: Request, decoder: msgspec.json.Decoder[T], turns: Turns) -> T:
    """Decode the body; if it is large, wait for a turn first. Raises MalformedJSON,
    InvalidQuery."""
    if len(request.body) > _SMALL:
        await turns.next()
    return read_as(request, decoder)
