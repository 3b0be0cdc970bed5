"""Arguments and bodies of our own routes: what is unknown is refused, by name."""

from collections.abc import Collection
from typing import TypeVar

import msgspec

from originmap.api.body import NOT_JSON, decode_json
from originmap.api.http.request import Request
from originmap.domain.errors import InvalidQuery
from originmap.service.turns import Turns

T = TypeVar("T")

_SMALL = 16 << 10
"""Bytes that are read without waiting for a turn."""


def arguments(request: Request, known: Collection[str]) -> dict[str, list[str]]:
    """The query's arguments, each with all its values. Raises InvalidQuery for unknown ones."""
    found = request.query_arguments()
    for name in found:
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise InvalidQuery(f"unknown argument {name}; known are: {names}")
    return found


def flag(values: dict[str, list[str]], name: str) -> bool:
    """An argument that is "true" or "false", false where it is not given."""
    value = values.get(name, ["false"])[-1]
    if value not in ("true", "false"):
        raise InvalidQuery(f'{name} must be "true" or "false"')
    return value == "true"


def read_as(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """The body as what `decoder` makes of it. Raises MalformedJSON, and InvalidQuery that says
    which member is wrong. Routes with a body know no query arguments, so any is refused."""
    arguments(request, ())
    try:
        return decoder.decode(request.body)
    except msgspec.ValidationError as error:
        raise InvalidQuery(str(error)) from None
    except NOT_JSON:
        decode_json(request.body)  # raises MalformedJSON
        raise InvalidQuery("a body is needed") from None


async def read_large(request: Request, decoder: msgspec.json.Decoder[T], turns: Turns) -> T:
    """As `read_as`, after waiting for a turn if the body is large."""
    if len(request.body) > _SMALL:
        await turns.next()
    return read_as(request, decoder)
