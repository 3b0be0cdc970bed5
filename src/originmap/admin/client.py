"""The command line's end of the admin socket."""

import socket
from pathlib import Path

from originmap.admin import wire
from originmap.admin.path import reachable, socket_path
from originmap.service.administration import Command

_SECONDS = 15.0


def send(command: Command, database: Path) -> wire.Reply:
    """Have the process that owns `database` carry a command out.

    Raises OSError when no such process listens.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(_SECONDS)
        with reachable(socket_path(database)) as address:
            sock.connect(address)
        sock.sendall(wire.encode(command))
        with sock.makefile("rb") as answer:
            return wire.decode_reply(answer.readline())
