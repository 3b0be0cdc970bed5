"""Arguments and bodies of our own routes: what is unknown is refused, by name."""

from collections.abc import Collection
from typing import TypeVar

import msgspec
from falcon.asgi import Request

from originmap.api.body import MAX_BODY, NOT_JSON, decode_json, read_body
from originmap.domain.errors import InvalidQuery
from originmap.service.turns import Turns

T = TypeVar("T")

_SMALL = 16 << 10
"""Bytes that are read without waiting for a turn."""


def arguments(req: Request, known: Collection[str]) -> dict[str, list[str]]:
    """The query's arguments, each with all its values. Raises InvalidQuery for unknown ones."""
    found: dict[str, list[str]] = {}
    for name, value in req.params.items():
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise InvalidQuery(f"unknown argument {name}; known are: {names}")
        found[name] = value if isinstance(value, list) else [value]
    return found


def flag(values: dict[str, list[str]], name: str) -> bool:
    """An argument that is "true" or "false", false where it is not given."""
    value = values.get(name, ["false"])[-1]
    if value not in ("true", "false"):
        raise InvalidQuery(f'{name} must be "true" or "false"')
    return value == "true"


async def read_as(
    req: Request,
    decoder: msgspec.json.Decoder[T],
    at_most: int = MAX_BODY,
    turns: Turns | None = None,
) -> T:
    """The body as what `decoder` makes of it. Raises MalformedJSON, and InvalidQuery that says
    which member is wrong. Routes with a body know no query arguments, so any is refused."""
    arguments(req, ())
    body = await read_body(req, at_most)
    if turns is not None and len(body) > _SMALL:
        await turns.next()
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidQuery(str(error)) from None
    except NOT_JSON:
        decode_json(body)  # raises MalformedJSON
        raise InvalidQuery("a body is needed") from None
