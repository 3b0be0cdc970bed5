"""The command line's end of the admin socket."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from originmap.admin import wire
from originmap.admin.path import reachable, socket_path
from originmap.service.administration import Command, Streamed

_SECONDS = 15.0
_STREAM_SECONDS = 300.0  # between two chunks: a large database is sorted before the first


def send(command: Command, database: Path) -> wire.Reply:
    """Have the process that owns `database` carry a command out.

    Raises OSError when no such process listens.
    """
    with _answered(command, database, _SECONDS) as answer:
        return wire.decode_reply(answer.readline())


def stream(command: Streamed, database: Path, sink: Callable[[bytes], object]) -> wire.Reply:
    """As `send`; what is answered besides the reply goes to `sink`, in chunks.

    Raises ConnectionError when the process broke off.
    """
    with _answered(command, database, _STREAM_SECONDS) as answer:
        reply = wire.decode_reply(answer.readline())
        if not reply.error:
            for chunk in wire.frames(answer):
                sink(chunk)
        return reply


@contextlib.contextmanager
def _answered(command: Command | Streamed, database: Path, seconds: float) -> Iterator[BinaryIO]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(seconds)
        with reachable(socket_path(database)) as address:
            sock.connect(address)
        sock.sendall(wire.encode(command))
        with sock.makefile("rb") as answer:
            yield answer
