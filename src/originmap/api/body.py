"""Decodes JSON request bodies."""

import msgspec

from originmap.domain.errors import MalformedJSON

# msgspec raises UnicodeDecodeError on bad UTF-8, and RecursionError on deep nesting.
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ANYTHING = msgspec.json.Decoder()


def decode_json(body: bytes) -> object:
    """Decode a body; None if it is empty. Raises MalformedJSON."""
    if not body:
        return None
    try:
        return _ANYTHING.decode(body)
    except NOT_JSON:
        raise MalformedJSON from None


def object_of(body: bytes) -> dict[str, object]:
    """Decode a JSON object; an empty one if the body is empty or another type. Raises
    MalformedJSON."""
    value = decode_json(body)
    return value if isinstance(value, dict) else {}
