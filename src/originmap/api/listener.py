"""Binds the address of a server before it reports that it listens."""

import socket

from originmap.domain.errors import OriginmapError


class CannotListen(OriginmapError):
    """The server cannot listen on the address."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {host} port {port}: {reason}")
        self.hint = "use another --host or --port; --port 0 takes a free port"


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket. Raises CannotListen."""
    # Python loads the tables of IDNA to encode a str, even an IP address.
    name = host.encode() if host.isascii() else host
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, proto)
        # SO_REUSEADDR lets another process take over the port on Windows.
        exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
        sock.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        sock.bind(address)
        sock.listen(2048)
    except UnicodeError as error:
        raise CannotListen(host, port, "not a hostname") from error
    except OSError as error:
        raise CannotListen(host, port, error.strerror or str(error)) from error
    sock.setblocking(False)
    return sock
