"""The open connections of a server, and what they have in common."""

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from originmap.api.http.protocol import Connection


class Connections:
    """Each connection adds itself, and the work that its current request waits for.

    `common` are the headers of every response, as lines. `ending` says that each connection closes
    after its current request, or its first."""

    def __init__(self) -> None:
        self.open: set[Connection] = set()
        self.work: set[asyncio.Future[Any]] = set()
        self.common = ""
        self.ending = False
        self._headers: dict[str, str] = {}

    def set_header(self, name: str, value: str) -> None:
        """Send this header with every response from now on."""
        self._headers[name] = value
        self.common = "".join(f"{name}: {value}\r\n" for name, value in self._headers.items())

    def end(self) -> None:
        """Close the connections that have no current request, and the others after it."""
        self.ending = True
        for connection in list(self.open):
            connection.shutdown()

    def abort(self) -> None:
        """Close all connections at once, and cancel their work."""
        for work in list(self.work):
            work.cancel()
        for connection in list(self.open):
            connection.transport.abort()
