"""What goes over the admin socket: a command as a line of JSON, a reply as another."""

from typing import Any

import msgspec

from originmap.service.administration import Command

LONGEST_LINE = 4 << 20
"""Bytes of a command, a topology of the most colos among them; replies may be longer."""


class Reply(msgspec.Struct, omit_defaults=True):
    """What a command came to: rows of JSON, or an error with a hint for who typed it."""

    rows: list[dict[str, Any]] = []
    error: str = ""
    hint: str = ""


_COMMANDS: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


def encode(message: Command | Reply) -> bytes:
    """The line for a message."""
    return msgspec.json.encode(message) + b"\n"


def decode_command(line: bytes) -> Command:
    """The command in a line. Raises msgspec.MsgspecError."""
    return _COMMANDS.decode(line)


def decode_reply(line: bytes) -> Reply:
    """The reply in a line. Raises msgspec.MsgspecError."""
    return msgspec.json.decode(line, type=Reply)
