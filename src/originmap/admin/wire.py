"""What goes over the admin socket: a command as a line of JSON, a reply as another.

A command that is answered with bytes has them after its reply, unless that is an error: in
frames, each with its length before it, and at their end an empty one, so that a stream that
broke off is no short answer.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from originmap.service.administration import Command, Streamed

LONGEST_LINE = 4 << 20
"""Bytes of a command, a topology of the most colos among them; replies may be longer."""


class NotACommand(ValueError):
    """A line that no command is in: other text, or JSON of another form."""


class Reply(msgspec.Struct, omit_defaults=True):
    """What a command came to: rows of JSON, or an error with a hint for who typed it."""

    rows: list[dict[str, Any]] = []
    error: str = ""
    hint: str = ""


_COMMANDS: msgspec.json.Decoder[Command | Streamed] = msgspec.json.Decoder(Command | Streamed)
_LENGTH = 4


def encode(message: Command | Streamed | Reply) -> bytes:
    """The line for a message."""
    return msgspec.json.encode(message) + b"\n"


def decode_command(line: bytes) -> Command | Streamed:
    """The command in a line. Raises NotACommand."""
    if not line.endswith(b"\n"):
        raise NotACommand(f"it has no end, or more than {LONGEST_LINE} bytes")
    try:
        return _COMMANDS.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotACommand(str(error)) from None


def decode_reply(line: bytes) -> Reply:
    """The reply in a line. Raises msgspec.MsgspecError."""
    return msgspec.json.decode(line, type=Reply)


def frame(data: bytes) -> bytes:
    """Bytes as they go over the socket; the empty frame ends a stream."""
    return len(data).to_bytes(_LENGTH, "big") + data


def frames(source: BinaryIO) -> Iterator[bytes]:
    """What was framed, up to the end. Raises ConnectionError where that does not come."""
    while size := int.from_bytes(_exactly(source, _LENGTH), "big"):
        yield _exactly(source, size)


def _exactly(source: BinaryIO, size: int) -> bytes:
    data = source.read(size)
    if len(data) < size:
        raise ConnectionError("the stream broke off")
    return data
