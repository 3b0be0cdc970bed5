"""Reading request bodies, up to a limit."""

from falcon.asgi import Request

from originmap.domain.errors import BodyTimeout, BodyTooLarge

MAX_BODY = 1 << 20
"""Bytes; no honest batch is over 64 KiB."""


async def read_body(req: Request) -> bytes:
    """The whole body, b"" where there is none. Raises BodyTooLarge, BodyTimeout.

    A body that announces its length is refused before it is read.
    """
    length = req.content_length
    if length is not None and length > MAX_BODY:
        raise BodyTooLarge
    chunks = []
    size = 0
    async for chunk in req.stream:
        size += len(chunk)
        if size > MAX_BODY:
            raise BodyTooLarge
        chunks.append(chunk)
    if length is not None and size < length:
        raise BodyTimeout
    return b"".join(chunks)
