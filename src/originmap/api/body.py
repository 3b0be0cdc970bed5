"""Reading request bodies, up to a limit, and the JSON in them."""

from typing import Any

import msgspec
from falcon.asgi import Request

from originmap.api.request import info_of
from originmap.domain.errors import BodyTimeout, BodyTooLarge, MalformedJSON

MAX_BODY = 1 << 20
"""Bytes, where a route says nothing else; no honest batch is over 64 KiB."""


async def read_body(req: Request, at_most: int = MAX_BODY) -> bytes:
    """The whole body, b"" where there is none. Raises BodyTooLarge, BodyTimeout, and AccessError
    where the sender lost the right to what is asked while the body arrived.

    A body that announces its length is refused before it is read.
    """
    length = req.content_length
    if length is not None and length > at_most:
        raise BodyTooLarge
    chunks = []
    size = 0
    async for chunk in req.stream:
        size += len(chunk)
        if size > at_most:
            raise BodyTooLarge
        chunks.append(chunk)
    if length is not None and size < length:
        raise BodyTimeout
    info_of(req.scope).recheck()
    return b"".join(chunks)


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


async def read_object(req: Request) -> dict[str, Any]:
    """The JSON object in the body, an empty one where there is something else or nothing.

    Raises MalformedJSON, BodyTooLarge, BodyTimeout.
    """
    value = decode_json(await read_body(req))
    return value if isinstance(value, dict) else {}
