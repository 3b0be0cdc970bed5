"""Reads responses of a server up to a size limit.

The limit applies after decompression, which is done here in small pieces. httpx would decompress
each chunk from the network as a whole, to a thousand times its size, or to a million times for
nested encodings.
"""

import zlib
from collections.abc import AsyncIterator

import httpx

from originmap.domain.errors import AnswerTooLarge, BrokenFeed

ACCEPTED = "gzip"
"""The only supported encoding; for the header Accept-Encoding."""
_GZIP = 31  # zlib's wbits for the gzip format, RFC 1952
_PIECE = 1 << 18


async def pieces(answer: httpx.Response, most: int) -> AsyncIterator[bytes]:
    """The decompressed body of a streamed response, in pieces. Raises AnswerTooLarge after `most`
    bytes, BrokenFeed if it cannot be decompressed."""
    async for piece in within(_decoded(answer), most):
        yield piece


async def within(decoded: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    """The same pieces. Raises AnswerTooLarge after `most` bytes."""
    size = 0
    async for piece in decoded:
        size += len(piece)
        if size > most:
            raise AnswerTooLarge(most)
        yield piece


async def whole(answer: httpx.Response, most: int) -> bytes:
    """The decompressed body of a streamed response. Raises AnswerTooLarge, BrokenFeed."""
    return b"".join([piece async for piece in pieces(answer, most)])


async def lines(parts: AsyncIterator[bytes], longest: int) -> AsyncIterator[bytes]:
    """Split into lines, each with its newline; the last line may have none. Raises BrokenFeed for
    a line of more than `longest` bytes."""
    rest: list[bytes] = []
    waiting = 0
    async for piece in parts:
        first, *others = piece.split(b"\n")
        for following in others:
            yield b"".join([*rest, first, b"\n"])
            rest, waiting, first = [], 0, following
        rest.append(first)
        waiting += len(first)
        if waiting > longest:
            raise BrokenFeed(f"a line of the snapshot is longer than {longest >> 20} MiB")
    if waiting:
        yield b"".join(rest)


async def _decoded(answer: httpx.Response) -> AsyncIterator[bytes]:
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        async for piece in answer.aiter_raw():
            yield piece
        return
    if encoding not in ("gzip", "x-gzip"):
        raise BrokenFeed(f"the response has the encoding {encoding!r}, not {ACCEPTED}")
    async for piece in decompressed(answer.aiter_raw()):
        yield piece


async def decompressed(raw: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Decompress gzip in small pieces. Raises BrokenFeed."""
    stream = zlib.decompressobj(_GZIP)
    try:
        async for piece in raw:
            while piece:
                if stream.eof:
                    raise BrokenFeed("the response has data after the end of the gzip stream")
                yield stream.decompress(piece, _PIECE)
                piece = stream.unconsumed_tail or stream.unused_data
        while rest := stream.decompress(b"", _PIECE):
            yield rest
    except zlib.error as error:
        raise BrokenFeed(f"the response cannot be decompressed: {error}") from None
    if not stream.eof:
        raise BrokenFeed("the response is truncated")
