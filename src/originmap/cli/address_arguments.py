"""What a command is asked about: addresses and host names, as arguments or a line each."""

import codecs
import io
import socket
from collections.abc import Callable, Iterator
from typing import BinaryIO

from originmap.domain.errors import InvalidAddress
from originmap.domain.hostname import is_hostname
from originmap.domain.mapping import address
from originmap.domain.mapping.address import Address

LONGEST = 1024
"""What a line may have, in bytes; a host name has at most 253."""

_DISCARDED = 1 << 20
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Resolve = Callable[[str], list[str]]


class Unusable(ValueError):
    """What was asked about is neither an address nor a host name that leads to one."""


def lines(stream: BinaryIO) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers. Of one that is too long only the
    beginning is kept, which is more than an address or a name has."""
    number = 0
    while line := stream.readline(LONGEST):
        number += 1
        if number == 1 and line.startswith(_UTF_16):
            # UTF-16 comes from a file, not from a pipe in which each line waits for its result.
            text = (line + stream.read()).decode("utf-16", "backslashreplace")
            stream = io.BytesIO(text.encode())
            line = stream.readline(LONGEST)
        elif number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if len(line) == LONGEST and not line.endswith(b"\n"):
            while (rest := stream.readline(_DISCARDED)) and not rest.endswith(b"\n"):
                pass
        if text := line.decode("utf-8", "backslashreplace").strip():
            yield number, text


def resolve(name: str) -> list[str]:
    """The addresses of a host name, as this machine finds them. Raises OSError."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def addresses(text: str, resolve: Resolve) -> tuple[str | None, list[Address]]:
    """The address that `text` spells; or a host name, and its addresses. Raises Unusable."""
    try:
        return None, [address.parse(text)]
    except InvalidAddress:
        if not is_hostname(text):
            shown = text if len(text) <= 60 else f"{text[:60]}…"
            raise Unusable(f"not an origin IP address, and no host name: {shown!r}") from None
    try:
        spelled = resolve(text)
    except (OSError, UnicodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise Unusable(f"cannot resolve {text}: {reason}") from error
    found = dict.fromkeys(_usable(spelled))
    if not found:
        raise Unusable(f"{text} has no address that an origin can have")
    return text, list(found)


def _usable(spelled: list[str]) -> Iterator[Address]:
    for text in spelled:
        try:
            yield address.parse(text)
        except InvalidAddress:
            continue
