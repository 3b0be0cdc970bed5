"""A reverse proxy with TLS in front of a server, which adds a path prefix.

The certificates are for tests only: a private CA, and a certificate of it for localhost, 127.0.0.1
and ::1, valid until 2120.
"""

import ssl
from pathlib import Path

from tests.faulty import Handler, Proxy

FOLDER = Path(__file__).parent / "certificates"
CA = FOLDER / "ca.pem"
PREFIX = "/behind/here"


class _Stripping(Handler):
    def handle_any(self) -> None:
        if not self.path.startswith(f"{PREFIX}/"):
            self.send(404, b"<html><title>Not here</title></html>", {"Content-Type": "text/html"})
            return
        self.path = self.path.removeprefix(PREFIX)
        super().handle_any()

    do_GET = do_POST = do_PUT = do_DELETE = handle_any


class Front(Proxy):
    """The proxy; a context manager. `url` is the public URL of the server."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(FOLDER / "server.pem")
        self.server.RequestHandlerClass = _Stripping
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.server.server_port}{PREFIX}"

    @property
    def api(self) -> str:
        return f"{self.url}/client/v4"
