"""The JSON of request bodies, which may be anything."""

from typing import Any

import msgspec

from originmap.api.body import NOT_JSON


def value_of(body: bytes) -> Any:
    """The value of a body; None if it is empty or not JSON."""
    try:
        return msgspec.json.decode(body) if body else None
    except NOT_JSON:
        return None


def items_of(body: bytes) -> list[Any]:
    """The items of a batch, or the value of another body as the only item."""
    value = value_of(body)
    if isinstance(value, list):
        return value
    return [] if value is None else [value]
