"""Answers of a server that may send more than it should: read within bounds.

Bounds hold for what comes out of decompression, which is done here in small pieces. httpx would
hand out each piece of the network whole, a thousand times as large as it came, and for several
encodings on top of each other a million times.
"""

import zlib
from collections.abc import AsyncIterator

import httpx

from originmap.domain.errors import AnswerTooLarge, BrokenFeed

ACCEPTED = "gzip"
"""The one encoding of answers that is understood; for the header Accept-Encoding."""
_GZIP = 31  # zlib's wbits for the gzip format, RFC 1952
_PIECE = 1 << 18


async def pieces(answer: httpx.Response, most: int) -> AsyncIterator[bytes]:
    """The body of a streamed answer, decompressed, in pieces. Raises AnswerTooLarge behind `most`
    bytes, BrokenFeed for what does not decompress."""
    size = 0
    async for piece in _decoded(answer):
        size += len(piece)
        if size > most:
            raise AnswerTooLarge(most)
        yield piece


async def whole(answer: httpx.Response, most: int) -> bytes:
    """The body of a streamed answer. Raises as `pieces`."""
    return b"".join([piece async for piece in pieces(answer, most)])


async def lines(parts: AsyncIterator[bytes], longest: int) -> AsyncIterator[bytes]:
    """Lines, each with its end; the last one may lack it. Raises BrokenFeed for one of more than
    `longest` bytes."""
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
        raise BrokenFeed(f"the answer is encoded as {encoding!r}, and {ACCEPTED} was asked for")
    stream = zlib.decompressobj(_GZIP)
    try:
        async for piece in answer.aiter_raw():
            while piece:
                if stream.eof:
                    raise BrokenFeed("the answer goes on after the end of what is compressed")
                yield stream.decompress(piece, _PIECE)
                piece = stream.unconsumed_tail or stream.unused_data
        while rest := stream.decompress(b"", _PIECE):
            yield rest
    except zlib.error as error:
        raise BrokenFeed(f"the answer does not decompress: {error}") from None
    if not stream.eof:
        raise BrokenFeed("the answer was cut short")
