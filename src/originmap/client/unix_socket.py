"""HTTP over the operator's Unix socket, with the standard library, whose client is imported in a
third of the time of httpx."""

import contextlib
import http.client
import socket
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from originmap.operator_socket import reachable

__all__ = ["HTTPException", "answered"]


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with reachable(self._path) as address:
            self.sock.connect(address)


@contextlib.contextmanager
def answered(
    path: Path, method: str, target: str, body: bytes | None, seconds: float
) -> Iterator[HTTPResponse]:
    """Send a request and yield its response. `seconds` is the timeout of each read.

    Raises OSError; FileNotFoundError and ConnectionRefusedError mean that no server listens.
    Raises HTTPException if the response is incomplete.
    """
    with contextlib.closing(_Connection(path, seconds)) as connection:
        connection.request(method, target, body)
        yield connection.getresponse()
