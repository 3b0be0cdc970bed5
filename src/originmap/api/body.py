"""The JSON in request bodies."""

from typing import Any

import msgspec

from originmap.domain.errors import MalformedJSON

# msgspec raises UnicodeDecodeError on bad UTF-8, and RecursionError on deep nesting.
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ANYTHING = msgspec.json.Decoder()


def decode_json(body: bytes) -> Any:
    """The value in a body, None for an absent body. Raises MalformedJSON."""
    if not body:
        return None
    try:
        return _ANYTHING.decode(body)
    except NOT_JSON:
        raise MalformedJSON from None


def object_of(body: bytes) -> dict[str, Any]:
    """The JSON object in a body, an empty one if it is something else or absent. Raises
    MalformedJSON."""
    value = decode_json(body)
    return value if isinstance(value, dict) else {}
